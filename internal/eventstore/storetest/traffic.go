package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// writer appends to a stream, the same events with the same expectation until they are acknowledged.
type writer struct {
	e       *env
	stream  string
	written []uuid.UUID
	answers []eventstore.Appended
}

func (e *env) writers(n int) (*crew, []*writer) {
	c := e.crew()
	writers := make([]*writer, n)
	for i := range writers {
		w := &writer{e: e, stream: e.stream(fmt.Sprint(i))}
		writers[i] = w
		c.add(w.step)
	}
	return c, writers
}

func (w *writer) step() error {
	n := len(w.answers)
	events := ofType([]string{"Happened", "Other"}[n%2], news(1+n%3))
	expected := eventstore.Expected(len(w.written) - 1)
	var got eventstore.Appended
	err := w.e.again(appendPatience, func(ctx context.Context) (err error) {
		got, err = w.e.store.Append(ctx, w.stream, expected, events)
		return err
	})
	if err != nil {
		return fmt.Errorf("append %d to %s expecting %d: %w", n, w.stream, expected, err)
	}
	w.written, w.answers = append(w.written, idsOf(events)...), append(w.answers, got)
	if got.Revision != uint64(len(w.written)-1) {
		return fmt.Errorf("append %d to %s is answered revision %d, want %d", n, w.stream, got.Revision, len(w.written)-1)
	}
	return nil
}

// checkWritten demands that the log holds, after base, what was acknowledged and nothing else, where the answers told.
func (e *env) checkWritten(base eventstore.Position, writers []*writer) {
	e.Helper()
	byStream := map[string][]uuid.UUID{}
	last := base
	for _, r := range e.readAll(base, eventstore.Forwards, 0, e.own()) {
		if r.Position <= last {
			e.Fatalf("position %d after %d", r.Position, last)
		}
		last = r.Position
		byStream[r.Stream] = append(byStream[r.Stream], r.ID)
	}
	for _, w := range writers {
		got := e.readStream(w.stream, 0, eventstore.Forwards, 0)
		if !slices.Equal(ids(got), w.written) {
			e.Fatalf("%s has %d events, but %d were acknowledged, or others", w.stream, len(got), len(w.written))
		}
		if !slices.Equal(byStream[w.stream], w.written) {
			e.Fatalf("the log holds %d events of %s, want %d, or in another order", len(byStream[w.stream]), w.stream, len(w.written))
		}
		for _, a := range w.answers {
			if at := got[a.Revision].Position; at != a.Position {
				e.Fatalf("revision %d of %s was answered at %d and is read at %d", a.Revision, w.stream, a.Position, at)
			}
		}
	}
}

// follower collects this test's events, and subscribes again from its last position when the server is gone.
type follower struct {
	e      *env
	filter eventstore.Filter
	at     eventstore.Position
	rest   func() // after each batch, when it is one that falls behind
	got    []uuid.UUID
}

// run follows up to an event of the type Final.
func (f *follower) run(sub eventstore.Subscription) error {
	for {
		err := f.take(sub)
		if closed := sub.Close(); closed != nil {
			return fmt.Errorf("close: %w", closed)
		}
		if err == nil {
			return nil
		}
		for err != nil {
			if !away(f.e.ctx, err) || !f.e.pause(tryAgain) {
				return err
			}
			sub, err = f.e.store.Subscribe(f.e.ctx, f.at, f.filter)
		}
	}
}

func (f *follower) take(sub eventstore.Subscription) error {
	for {
		b, err := sub.Next(f.e.ctx)
		if err != nil {
			return err
		}
		if b.Position < f.at {
			return fmt.Errorf("position went from %d back to %d", f.at, b.Position)
		}
		for _, r := range b.Events {
			if r.Position <= f.at || r.Position > b.Position {
				return fmt.Errorf("a batch up to %d holds an event at %d after %d", b.Position, r.Position, f.at)
			}
			f.at = r.Position
			if !strings.HasPrefix(r.Stream, f.e.prefix) {
				continue
			}
			if f.got = append(f.got, r.ID); r.Type == "Final" {
				return nil
			}
		}
		f.at = b.Position
		if f.rest != nil {
			f.rest()
		}
	}
}

// reading is a read and what it yields when it is whole.
type reading struct {
	what string
	want []uuid.UUID
	read func(ctx context.Context) func(func(eventstore.Recorded, error) bool)
}

// readings writes some events that are not read in one piece, and gives ways to read them.
func (e *env) readings(base eventstore.Position) []reading {
	s := e.stream("a")
	events := news(300)
	for i := range events {
		events[i].Type = []string{"A", "B", "C"}[i%3]
		events[i].Data = fmt.Appendf(nil, `"%04000d"`, i)
	}
	for i := 0; i < len(events); i += 100 {
		e.must(s, eventstore.Expected(i-1), events[i:i+100])
	}
	want := idsOf(events)
	var b []uuid.UUID
	for i := 1; i < len(want); i += 3 {
		b = append(b, want[i])
	}
	stream := func(what string, from uint64, d eventstore.Direction, limit int, want []uuid.UUID) reading {
		return reading{what, want, func(ctx context.Context) func(func(eventstore.Recorded, error) bool) {
			return e.store.ReadStream(ctx, s, from, d, limit)
		}}
	}
	log := func(what string, from eventstore.Position, d eventstore.Direction, limit int, types []string, want []uuid.UUID) reading {
		return reading{what, want, func(ctx context.Context) func(func(eventstore.Recorded, error) bool) {
			return e.store.ReadAll(ctx, from, d, limit, eventstore.Filter{StreamPrefixes: []string{s}, Types: types})
		}}
	}
	return []reading{
		stream("the stream", 0, eventstore.Forwards, 0, want),
		stream("the stream backwards", math.MaxUint64, eventstore.Backwards, 0, reversed(want)),
		stream("a part of the stream", 25, eventstore.Forwards, 250, want[25:275]),
		log("the log", base, eventstore.Forwards, 0, nil, want),
		log("the log backwards", eventstore.End, eventstore.Backwards, len(want), nil, reversed(want)),
		log("the log filtered", base, eventstore.Forwards, 0, []string{"B"}, b),
	}
}

// run reads, and calls first when the read has yielded for the first time. Its error is the read's, or tells that the
// read is not what it should be.
func (r *reading) run(ctx context.Context, first func()) error {
	first = sync.OnceFunc(first)
	defer first()
	n := 0
	var ended error
	for v, err := range r.read(ctx) {
		first()
		switch {
		case ended != nil:
			return fmt.Errorf("%s goes on after an error: %v", r.what, ended)
		case err != nil:
			ended = fmt.Errorf("%s after %d events: %w", r.what, n, err)
		case n == len(r.want) || v.ID != r.want[n]:
			return fmt.Errorf("%s: event %d is another", r.what, n)
		default:
			n++
		}
	}
	if ended == nil && n < len(r.want) {
		return fmt.Errorf("%s ends after %d of %d events without an error", r.what, n, len(r.want))
	}
	return ended
}
