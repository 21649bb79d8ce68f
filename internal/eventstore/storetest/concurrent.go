package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var concurrentCases = []testCase{
	{"of concurrent appends at one revision exactly one wins", oneWins},
	{"concurrent retries of one append store it once", retriesTogether},
	{"concurrent appends to many streams keep each stream's order", manyStreams},
	{"a subscription has caught up when it has delivered what was read before it began", catchesUpWithReads},
	{"subscribers miss, repeat and reorder nothing while thousands of events come", followsBusyLog},
}

func oneWins(e *env) {
	const writers, rounds = 12, 15
	s := e.stream("a")
	won := make([]uuid.UUID, 0, rounds)
	for round := range rounds {
		results := make([]error, writers)
		events := make([][]eventstore.Event, writers)
		var wg sync.WaitGroup
		for i := range writers {
			events[i] = news(1)
			wg.Go(func() {
				_, results[i] = e.store.Append(e.ctx, s, eventstore.Expected(round-1), events[i])
			})
		}
		wg.Wait()
		for i, err := range results {
			wrong, ok := errors.AsType[*eventstore.WrongRevision](err)
			switch {
			case err == nil:
				won = append(won, events[i][0].ID)
			case !ok:
				e.Fatalf("append: %v", err)
			case wrong.Actual != eventstore.Expected(round):
				e.Fatalf("refused at revision %d, want %d", wrong.Actual, round)
			}
		}
		if len(won) != round+1 {
			e.Fatalf("%d appends won by round %d", len(won), round)
		}
	}
	e.same("the winners", e.readStream(s, 0, eventstore.Forwards, 0), won)
}

func retriesTogether(e *env) {
	s := e.stream("a")
	for _, expected := range []eventstore.Expected{eventstore.NoStream, eventstore.Exactly(1), eventstore.Any} {
		batch := news(2)
		answers := make([]eventstore.Appended, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = e.store.Append(e.ctx, s, expected, batch); err != nil {
					e.Errorf("append expecting %d: %v", expected, err)
				}
			})
		}
		wg.Wait()
		if len(slices.Compact(answers)) != 1 {
			e.Fatalf("retries expecting %d were answered %+v", expected, answers)
		}
	}
	if got := e.readStream(s, 0, eventstore.Forwards, 0); len(got) != 6 {
		e.Fatalf("%d events, want 6", len(got))
	}
}

// writeMany appends to some streams from as many goroutines, a few events at a time, and gives what each appended.
func (e *env) writeMany(streams, appends int) [][]uuid.UUID {
	written := make([][]uuid.UUID, streams)
	var wg sync.WaitGroup
	for i := range written {
		wg.Go(func() {
			expected := eventstore.NoStream
			for n := range appends {
				events := news(1 + (i+n)%3)
				got, err := e.store.Append(e.ctx, e.stream(fmt.Sprintf("s%d-", i)), expected, events)
				if err != nil {
					e.Errorf("append %d to stream %d: %v", n, i, err)
					return
				}
				written[i] = append(written[i], idsOf(events)...)
				expected = eventstore.Exactly(got.Revision)
			}
		})
	}
	wg.Wait()
	return written
}

func manyStreams(e *env) {
	written := e.writeMany(20, 20)
	byStream := map[string][]uuid.UUID{}
	last := eventstore.Start
	for _, r := range e.readAll(eventstore.Start, eventstore.Forwards, 0, e.own()) {
		if r.Position <= last || r.Revision != uint64(len(byStream[r.Stream])) {
			e.Fatalf("%s revision %d at %d after %d", r.Stream, r.Revision, r.Position, last)
		}
		last = r.Position
		byStream[r.Stream] = append(byStream[r.Stream], r.ID)
	}
	for i, want := range written {
		s := e.stream(fmt.Sprintf("s%d-", i))
		e.same(s, e.readStream(s, 0, eventstore.Forwards, 0), want)
		if !slices.Equal(byStream[s], want) {
			e.Fatalf("the log holds %s in another order", s)
		}
	}
}

// catchesUpWithReads looks at the end of a busy log, and then follows it: the end has to come first.
func catchesUpWithReads(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i := range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = e.store.Append(ctx, e.stream(fmt.Sprint(i)), eventstore.Any, news(1))
			}
		})
	}
	at := e.must(e.stream("a"), eventstore.NoStream, news(1)).Position
	for range 40 {
		last := e.readAll(eventstore.End, eventstore.Backwards, 1, e.own())[0]
		got, told := e.untilCaughtUp(e.subscribe(at, e.own()))
		if told < last.Position || !slices.Contains(ids(got), last.ID) && last.Position > at {
			e.Fatalf("caught up at %d with %d events, without the one at %d that was read before", told, len(got), last.Position)
		}
		at = last.Position
	}
}

func followsBusyLog(e *env) {
	const streams, appends = 16, 100
	filters := []eventstore.Filter{
		e.own(), {StreamPrefixes: []string{e.stream("s1"), e.stream("s7-")}}, e.own("Happened", "Final"), e.own("Never", "Final"),
	}
	got := make([][]uuid.UUID, 2*len(filters))
	var wg sync.WaitGroup
	for i := range got {
		sub := e.subscribe([]eventstore.Position{eventstore.Start, eventstore.End}[i%2], filters[i/2])
		wg.Go(func() { got[i] = e.followToFinal(sub) })
	}
	e.writeMany(streams, appends)
	e.must(e.stream("s1-final"), eventstore.NoStream, ofType("Final", news(1)))
	wg.Wait()
	for i := range got {
		want := ids(e.readAll(eventstore.Start, eventstore.Forwards, 0, filters[i/2]))
		if !slices.Equal(got[i], want) {
			e.Fatalf("subscription %d: %d events, want %d in the log's order", i, len(got[i]), len(want))
		}
	}
}

// followToFinal collects events up to one of the type Final.
func (e *env) followToFinal(sub eventstore.Subscription) []uuid.UUID {
	var got []uuid.UUID
	var at eventstore.Position
	for {
		b, err := sub.Next(e.ctx)
		if err != nil {
			e.Errorf("next: %v", err)
			return got
		}
		for _, r := range b.Events {
			if r.Position <= at {
				e.Errorf("position %d after %d", r.Position, at)
			}
			at = r.Position
			got = append(got, r.ID)
			if r.Type == "Final" {
				return got
			}
		}
	}
}
