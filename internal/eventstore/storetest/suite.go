// Package storetest is the conformance suite of the event store: what every implementation of eventstore.Store promises,
// run against each. It uses streams of its own names only, so it may run against a log that others use, and it
// assumes of positions no more than their order.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// patience bounds each test: what is promised to happen happens long before.
const patience = time.Minute

// Option tells what an implementation can do beyond the contract.
type Option func(*suite)

// WithReopen lets the suite close a store and open the same log again, to see what lasted.
func WithReopen(reopen func(t *testing.T, s eventstore.Store) eventstore.Store) Option {
	return func(s *suite) { s.reopen = reopen }
}

// WithPromptProgress says that a live subscription tells its position at once when events pass by that its filter holds
// back, not only after many of them.
func WithPromptProgress() Option {
	return func(s *suite) { s.promptProgress = true }
}

type suite struct {
	open           func(t *testing.T) eventstore.Store
	reopen         func(t *testing.T, s eventstore.Store) eventstore.Store
	outage         func(t *testing.T, s eventstore.Store) (stop, start func())
	promptProgress bool
	longOutage     bool
}

type testCase struct {
	name string
	run  func(*env)
}

// Run runs the suite. Each test gets a store from open, and closes it.
func Run(t *testing.T, open func(t *testing.T) eventstore.Store, opts ...Option) {
	s := &suite{open: open}
	for _, o := range opts {
		o(s)
	}
	cases := slices.Concat(appendCases, retryCases, readCases, followCases, concurrentCases, endCases, outageCases)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(newEnv(t, s)) })
	}
	t.Run("behaves like a simple log", s.behavesLikeModel)
}

// env is what a test works with: a store, and names that no other test uses.
type env struct {
	*testing.T
	suite  *suite
	ctx    context.Context
	store  eventstore.Store
	prefix string
}

func newEnv(t *testing.T, s *suite) *env {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	e := &env{T: t, suite: s, ctx: ctx, store: s.open(t), prefix: "t" + uuid.NewString()[:8] + "-"}
	t.Cleanup(func() {
		cancel()
		if err := e.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

// stream names a stream of this test.
func (e *env) stream(name string) string { return e.prefix + name }

// own passes the events of this test.
func (e *env) own(types ...string) eventstore.Filter {
	return eventstore.Filter{StreamPrefixes: []string{e.prefix}, Types: types}
}

// news makes events that were never appended before.
func news(n int) []eventstore.Event {
	events := make([]eventstore.Event, n)
	for i := range events {
		id := uuid.New()
		events[i] = eventstore.Event{
			ID: id, Type: "Happened", Data: fmt.Appendf(nil, `{"n":%d,"id":"%s"}`, i, id), Metadata: []byte(`{"actor":"a"}`),
		}
	}
	return events
}

func ofType(eventType string, events []eventstore.Event) []eventstore.Event {
	for i := range events {
		events[i].Type = eventType
	}
	return events
}

// must appends, and fails the test when that fails.
func (e *env) must(stream string, expected eventstore.Expected, events []eventstore.Event) eventstore.Appended {
	e.Helper()
	got, err := e.store.Append(e.ctx, stream, expected, events)
	if err != nil {
		e.Fatalf("append to %s expecting %d: %v", stream, expected, err)
	}
	return got
}

// refused appends, and demands a WrongRevision that names actual.
func (e *env) refused(stream string, expected, actual eventstore.Expected, events []eventstore.Event) {
	e.Helper()
	_, err := e.store.Append(e.ctx, stream, expected, events)
	wrong, ok := errors.AsType[*eventstore.WrongRevision](err)
	if !ok {
		e.Fatalf("append to %s expecting %d: %v, want a wrong revision", stream, expected, err)
	}
	if wrong.Stream != stream || wrong.Expected != expected || wrong.Actual != actual {
		e.Fatalf("append to %s expecting %d: %+v, want the stream at %d", stream, expected, *wrong, actual)
	}
}

// readStream collects a stream.
func (e *env) readStream(stream string, from uint64, d eventstore.Direction, limit int) []eventstore.Recorded {
	e.Helper()
	return e.collect(e.store.ReadStream(e.ctx, stream, from, d, limit))
}

// readAll collects events of the log.
func (e *env) readAll(from eventstore.Position, d eventstore.Direction, limit int, f eventstore.Filter) []eventstore.Recorded {
	e.Helper()
	return e.collect(e.store.ReadAll(e.ctx, from, d, limit, f))
}

func (e *env) collect(events func(func(eventstore.Recorded, error) bool)) []eventstore.Recorded {
	e.Helper()
	var all []eventstore.Recorded
	for r, err := range events {
		if err != nil {
			e.Fatalf("read: %v", err)
		}
		all = append(all, r)
	}
	return all
}

// subscribe follows the log until the test ends.
func (e *env) subscribe(after eventstore.Position, f eventstore.Filter) eventstore.Subscription {
	e.Helper()
	sub, err := e.store.Subscribe(e.ctx, after, f)
	if err != nil {
		e.Fatalf("subscribe: %v", err)
	}
	e.Cleanup(func() { _ = sub.Close() })
	return sub
}

// next takes batches until n events have come, and demands no more than n.
func (e *env) next(sub eventstore.Subscription, n int) []eventstore.Recorded {
	e.Helper()
	var all []eventstore.Recorded
	for len(all) < n {
		b, err := sub.Next(e.ctx)
		if err != nil {
			e.Fatalf("next after %d of %d events: %v", len(all), n, err)
		}
		if l := len(b.Events); l > 0 && b.Position < b.Events[l-1].Position {
			e.Fatalf("batch at %d holds an event at %d", b.Position, b.Events[l-1].Position)
		}
		all = append(all, b.Events...)
	}
	if len(all) > n {
		e.Fatalf("%d events came, want %d", len(all), n)
	}
	return all
}

// untilCaughtUp takes batches until the end of the log has been told.
func (e *env) untilCaughtUp(sub eventstore.Subscription) ([]eventstore.Recorded, eventstore.Position) {
	e.Helper()
	var all []eventstore.Recorded
	for {
		b, err := sub.Next(e.ctx)
		if err != nil {
			e.Fatalf("next: %v", err)
		}
		all = append(all, b.Events...)
		if b.CaughtUp {
			return all, b.Position
		}
	}
}

// ids of recorded events.
func ids(all []eventstore.Recorded) []uuid.UUID {
	out := make([]uuid.UUID, len(all))
	for i := range all {
		out[i] = all[i].ID
	}
	return out
}

func idsOf(events []eventstore.Event) []uuid.UUID {
	out := make([]uuid.UUID, len(events))
	for i := range events {
		out[i] = events[i].ID
	}
	return out
}

// same demands that exactly these events came, in this order.
func (e *env) same(what string, got []eventstore.Recorded, want []uuid.UUID) {
	e.Helper()
	if !slices.Equal(ids(got), want) {
		e.Fatalf("%s: %d events, want %d: %v, want %v", what, len(got), len(want), ids(got), want)
	}
}

func reversed[T any](s []T) []T {
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}
