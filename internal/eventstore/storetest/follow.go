package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var followCases = []testCase{
	{"a subscription from the start tells history, then that it caught up, then news", followsFromStart},
	{"a subscription from the middle begins after its position", followsFromMiddle},
	{"a subscription from the end tells news only", followsFromEnd},
	{"a subscription from beyond the end is refused", refusesBeyondEnd},
	{"a subscription that nothing matches reaches the end of the log", reachesEndWithoutMatch},
	{"a live subscription tells progress past what its filter holds back", tellsProgress},
	{"positions of batches allow to resume anywhere", resumesAnywhere},
	{"a subscription ends with its context", followEndsWithContext},
	{"a subscription ends when it is closed, from anywhere", followEndsWithClose},
	{"a slow subscriber gets everything", slowFollower},
}

func followsFromStart(e *env) {
	s := e.stream("a")
	history := news(30)
	e.must(s, eventstore.NoStream, history)
	sub := e.subscribe(eventstore.Start, e.own())
	got, at := e.untilCaughtUp(sub)
	e.same("history", got, idsOf(history))
	if last := got[len(got)-1].Position; at < last {
		e.Fatalf("caught up at %d, after an event at %d", at, last)
	}
	for i := range 5 {
		live := news(3)
		e.must(s, eventstore.Exactly(uint64(29+3*i)), live)
		e.same("news", e.next(sub, 3), idsOf(live))
	}
}

func followsFromMiddle(e *env) {
	s := e.stream("a")
	events := news(10)
	var at []eventstore.Position
	for i := range events {
		at = append(at, e.must(s, eventstore.Any, events[i:i+1]).Position)
	}
	for i := range events {
		got, _ := e.untilCaughtUp(e.subscribe(at[i], e.own()))
		e.same(fmt.Sprintf("after event %d", i), got, idsOf(events[i+1:]))
	}
}

func followsFromEnd(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(10))
	sub := e.subscribe(eventstore.End, e.own())
	live := news(2)
	e.must(s, eventstore.Exactly(9), live)
	e.same("news", e.next(sub, 2), idsOf(live))
}

func refusesBeyondEnd(e *env) {
	last := e.must(e.stream("a"), eventstore.NoStream, news(1)).Position
	beyond := last + 1<<40
	if _, err := e.store.Subscribe(e.ctx, beyond, e.own()); !errors.Is(err, eventstore.ErrInvalid) {
		e.Fatalf("subscribe after %d: %v", beyond, err)
	}
	for position, want := range map[eventstore.Position]bool{eventstore.Start: true, last: true, beyond: false} {
		if got, err := eventstore.Reaches(e.ctx, e.store, position); err != nil || got != want {
			e.Errorf("the log reaches %d: %v (%v)", position, got, err)
		}
	}
}

func reachesEndWithoutMatch(e *env) {
	var last eventstore.Appended
	for range 12 {
		last = e.must(e.stream("a"), eventstore.Any, news(200))
	}
	got, at := e.untilCaughtUp(e.subscribe(eventstore.Start, eventstore.Filter{StreamPrefixes: []string{e.stream("none")}}))
	e.same("without a match", got, nil)
	if at < last.Position {
		e.Fatalf("caught up at %d, but the log goes to %d", at, last.Position)
	}
}

func tellsProgress(e *env) {
	if !e.suite.promptProgress {
		e.Skip("this store tells progress after many events only")
	}
	sub := e.subscribe(eventstore.Start, eventstore.Filter{StreamPrefixes: []string{e.stream("none")}})
	e.untilCaughtUp(sub)
	for range 3 {
		want := e.must(e.stream("a"), eventstore.Any, news(2)).Position
		for {
			b, err := sub.Next(e.ctx)
			if err != nil || len(b.Events) > 0 {
				e.Fatalf("%d events, %v", len(b.Events), err)
			}
			if b.Position >= want && b.CaughtUp {
				break
			}
		}
	}
}

func resumesAnywhere(e *env) {
	var want []eventstore.Event
	for i := range 40 {
		events := news(60)
		e.must(e.stream(fmt.Sprint(i%2)), eventstore.Any, events)
		if i%2 == 0 {
			want = append(want, events...)
		}
	}
	f := eventstore.Filter{StreamPrefixes: []string{e.stream("0")}}
	at := eventstore.Start
	var got []eventstore.Recorded
	for range 10_000 {
		sub := e.subscribe(at, f)
		b, err := sub.Next(e.ctx)
		if err != nil {
			e.Fatal(err)
		}
		_ = sub.Close()
		if b.Position < at {
			e.Fatalf("position went from %d back to %d", at, b.Position)
		}
		got, at = append(got, b.Events...), b.Position
		if b.CaughtUp {
			break
		}
	}
	e.same("one batch a subscription", got, idsOf(want))
}

func followEndsWithContext(e *env) {
	sub := e.subscribe(eventstore.End, e.own())
	ctx, cancel := context.WithCancel(e.ctx)
	ended := make(chan error)
	go func() { ended <- drain(ctx, sub) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		e.Fatalf("next: %v", err)
	}
	live := news(1)
	e.must(e.stream("a"), eventstore.Any, live)
	again := e.subscribe(eventstore.Start, e.own())
	e.same("another subscription", e.next(again, 1), idsOf(live))
	done, stop := context.WithCancel(e.ctx)
	stop()
	if _, err := e.store.Subscribe(done, eventstore.Start, e.own()); !errors.Is(err, context.Canceled) {
		e.Fatalf("subscribe: %v", err)
	}
}

// drain takes batches until an error.
func drain(ctx context.Context, sub eventstore.Subscription) error {
	for {
		if _, err := sub.Next(ctx); err != nil {
			return err
		}
	}
}

func followEndsWithClose(e *env) {
	sub := e.subscribe(eventstore.End, e.own())
	ended := make(chan error)
	go func() { ended <- drain(e.ctx, sub) }()
	for range 3 {
		if err := sub.Close(); err != nil {
			e.Fatal(err)
		}
	}
	if err := <-ended; !errors.Is(err, eventstore.ErrClosed) {
		e.Fatalf("next: %v", err)
	}
	if _, err := sub.Next(e.ctx); !errors.Is(err, eventstore.ErrClosed) {
		e.Fatalf("next after close: %v", err)
	}
}

func slowFollower(e *env) {
	sub := e.subscribe(eventstore.Start, e.own())
	var want []eventstore.Event
	var got []eventstore.Recorded
	for i := range 60 {
		events := news(100)
		e.must(e.stream(fmt.Sprint(i%7)), eventstore.Any, events)
		want = append(want, events...)
		if i%20 == 19 { // one batch, of many that wait
			b, err := sub.Next(e.ctx)
			if err != nil {
				e.Fatal(err)
			}
			got = append(got, b.Events...)
		}
	}
	got = slices.Concat(got, e.next(sub, len(want)-len(got)))
	e.same("a slow subscriber", got, idsOf(want))
}
