package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var readCases = []testCase{
	{"a stream is read from any revision, both ways, with limits", readsStream},
	{"a long stream is read whole", readsLongStream},
	{"a missing stream is told", tellsMissing},
	{"the log is read from any position, both ways, with limits", readsLog},
	{"a filter holds back what does not match", readsFiltered},
	{"an iteration may be left at any event", leavesIteration},
	{"a read ends with its context", readEndsWithContext},
}

// window is what a read of all from index i on yields, with a limit.
func window(all []uuid.UUID, limit int) []uuid.UUID {
	if limit > 0 && limit < len(all) {
		return all[:limit]
	}
	return all
}

func readsStream(e *env) {
	s := e.stream("a")
	events := news(9)
	want := idsOf(events)
	e.must(s, eventstore.NoStream, events[:4])
	e.must(e.stream("b"), eventstore.NoStream, news(2))
	e.must(s, eventstore.Exactly(3), events[4:])
	for from := range 12 {
		for _, limit := range []int{0, 1, 3, 9, 20} {
			what := fmt.Sprintf("from %d, limit %d", from, limit)
			forwards := want[min(from, 9):]
			e.same(what, e.readStream(s, uint64(from), eventstore.Forwards, limit), window(forwards, limit))
			backwards := reversed(want[:min(from+1, 9)])
			e.same(what+" backwards", e.readStream(s, uint64(from), eventstore.Backwards, limit), window(backwards, limit))
		}
	}
	e.same("from the end", e.readStream(s, math.MaxUint64, eventstore.Backwards, 0), reversed(want))
	e.same("behind the end", e.readStream(s, math.MaxUint64, eventstore.Forwards, 0), nil)
}

func readsLongStream(e *env) {
	s := e.stream("a")
	var want []uuid.UUID
	for i := range 7 {
		events := news(450)
		e.must(s, eventstore.Expected(i*450-1), events)
		want = append(want, idsOf(events)...)
	}
	e.same("forwards", e.readStream(s, 0, eventstore.Forwards, 0), want)
	e.same("backwards", e.readStream(s, math.MaxUint64, eventstore.Backwards, 0), reversed(want))
	e.same("a part", e.readStream(s, 500, eventstore.Forwards, 2222), want[500:2722])
	e.same("the log", e.readAll(eventstore.Start, eventstore.Forwards, 0, e.own()), want)
	e.same("the log backwards", e.readAll(eventstore.End, eventstore.Backwards, 0, e.own()), reversed(want))
}

func tellsMissing(e *env) {
	e.must(e.stream("a"), eventstore.NoStream, news(1))
	for _, d := range []eventstore.Direction{eventstore.Forwards, eventstore.Backwards} {
		n := 0
		for _, err := range e.store.ReadStream(e.ctx, e.stream("none"), 0, d, 0) {
			if n++; !errors.Is(err, eventstore.ErrStreamNotFound) {
				e.Fatalf("a missing stream: %v", err)
			}
		}
		if n != 1 {
			e.Fatalf("a missing stream yields %d times", n)
		}
	}
}

func readsLog(e *env) {
	events := news(12)
	want := idsOf(events)
	before := e.must("other-"+e.prefix, eventstore.NoStream, news(1)).Position
	var at []eventstore.Position
	for i := range events {
		s := e.stream(fmt.Sprint(i % 3))
		at = append(at, e.must(s, eventstore.Any, events[i:i+1]).Position)
	}
	for _, limit := range []int{0, 1, 4, 12, 40} {
		e.same("forwards from the start", e.readAll(eventstore.Start, eventstore.Forwards, limit, e.own()), window(want, limit))
		e.same("backwards from the end", e.readAll(eventstore.End, eventstore.Backwards, limit, e.own()), window(reversed(want), limit))
		for i := range at {
			what := fmt.Sprintf("from event %d, limit %d", i, limit)
			e.same(what, e.readAll(at[i], eventstore.Forwards, limit, e.own()), window(want[i+1:], limit))
			e.same(what+" backwards", e.readAll(at[i], eventstore.Backwards, limit, e.own()), window(reversed(want[:i+1]), limit))
		}
	}
	e.same("forwards from the end", e.readAll(eventstore.End, eventstore.Forwards, 0, e.own()), nil)
	e.same("backwards from the start", e.readAll(eventstore.Start, eventstore.Backwards, 0, e.own()), nil)
	var mine []uuid.UUID
	last := before
	for _, r := range e.readAll(before, eventstore.Forwards, 0, eventstore.Filter{}) {
		if r.Position <= last {
			e.Fatalf("position %d after %d", r.Position, last)
		}
		if last = r.Position; slices.Contains(want, r.ID) {
			mine = append(mine, r.ID)
		}
	}
	if !slices.Equal(mine, want) {
		e.Fatal("the whole log does not hold the events in order")
	}
}

func readsFiltered(e *env) {
	all := map[string][]eventstore.Event{}
	var order []eventstore.Recorded
	for i := range 300 {
		stream := e.stream([]string{"x-1", "x-2", "y-1", "z"}[i%4])
		events := ofType([]string{"A", "B", "C"}[i%3], news(1))
		e.must(stream, eventstore.Any, events)
		all[stream] = append(all[stream], events...)
		order = append(order, eventstore.Recorded{Event: events[0], Stream: stream})
	}
	for _, f := range []eventstore.Filter{
		{StreamPrefixes: []string{e.stream("x-")}},
		{StreamPrefixes: []string{e.stream("x-2"), e.stream("z")}},
		{StreamPrefixes: []string{e.stream("")}, Types: []string{"B"}},
		{StreamPrefixes: []string{e.stream("y"), e.stream("x")}, Types: []string{"A", "C"}},
		{StreamPrefixes: []string{e.stream("none")}},
		{StreamPrefixes: []string{e.stream("")}, Types: []string{"D"}},
	} {
		var want []uuid.UUID
		for i := range order {
			if f.Matches(order[i].Stream, order[i].Type) {
				want = append(want, order[i].ID)
			}
		}
		what := fmt.Sprintf("%+v", f)
		e.same(what, e.readAll(eventstore.Start, eventstore.Forwards, 0, f), want)
		e.same(what+" backwards", e.readAll(eventstore.End, eventstore.Backwards, 0, f), reversed(want))
		e.same(what+" limited", e.readAll(eventstore.Start, eventstore.Forwards, 7, f), window(want, 7))
		got, _ := e.untilCaughtUp(e.subscribe(eventstore.Start, f))
		e.same(what+" followed", got, want)
	}
}

func leavesIteration(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(20))
	for range 100 { // more often than a store has connections
		for range e.store.ReadStream(e.ctx, s, 0, eventstore.Forwards, 0) {
			break
		}
		for range e.store.ReadAll(e.ctx, eventstore.End, eventstore.Backwards, 0, e.own()) {
			break
		}
	}
	n := 0
	for range e.store.ReadStream(e.ctx, s, 0, eventstore.Forwards, 0) {
		for range e.store.ReadStream(e.ctx, s, 0, eventstore.Forwards, 1) { // a read within a read
			n++
		}
	}
	if n != 20 {
		e.Fatalf("%d events, want 20", n)
	}
}

func readEndsWithContext(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(1000))
	for what, read := range map[string]func(context.Context) func(func(eventstore.Recorded, error) bool){
		"stream": func(ctx context.Context) func(func(eventstore.Recorded, error) bool) {
			return e.store.ReadStream(ctx, s, 0, eventstore.Forwards, 0)
		},
		"log": func(ctx context.Context) func(func(eventstore.Recorded, error) bool) {
			return e.store.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, e.own())
		},
	} {
		ctx, cancel := context.WithCancel(e.ctx)
		n := 0
		var last error
		for _, err := range read(ctx) {
			if n++; n == 1 {
				cancel()
			}
			last = err
		}
		if !errors.Is(last, context.Canceled) || n >= 1000 {
			e.Fatalf("the read of the %s yields %d times after its context ended: %v", what, n, last)
		}
		cancel()
	}
}
