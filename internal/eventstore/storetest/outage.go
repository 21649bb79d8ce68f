package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// WithOutage lets the suite take the store's server away and bring it back with the same log: stop returns when no call
// can reach it any more, start when it can be reached again. Stop cuts off the calls under way and does not wait for them.
func WithOutage(outage func(t *testing.T, s eventstore.Store) (stop, start func())) Option {
	return func(s *suite) { s.outage = outage }
}

// WithLongOutage adds an outage that is longer than what connections wait between their attempts at first.
func WithLongOutage() Option {
	return func(s *suite) { s.longOutage = true }
}

const (
	longOutage = 30 * time.Second
	// outagePatience bounds a test with outages: a server may take its time to come back.
	outagePatience = 3 * time.Minute
	shortCall      = 100 * time.Millisecond // a caller's patience in an outage
	prompt         = 2 * time.Second        // how late a call may return after its context has ended, on a busy machine
)

// outages of a test, one after the other.
var outages = []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, time.Second}

var outageCases = []testCase{
	{"appends during an outage are stored once or not at all, and none that was acknowledged is lost", appendsThroughOutages},
	{"subscribers go on after an outage without gap, repeat or disorder", followsThroughOutages},
	{"reads during an outage fail as unavailable or are whole", readsThroughOutages},
	{"calls during an outage end with their context", endsCallsInOutage},
	{"a store can be closed during an outage", closesInOutage},
	{"a subscription outlives a long outage", outlivesLongOutage},
}

func appendsThroughOutages(e *env) {
	o := e.outage()
	c, writers := e.writers(8)
	c.through(o, 5, outages)
	c.finish()
	e.awaitServer()
	e.checkWritten(o.base, writers)
}

func followsThroughOutages(e *env) { e.followThrough(e.outage(), outages) }

func outlivesLongOutage(e *env) {
	if !e.suite.longOutage {
		e.Skip("the long outage takes a while, and was not asked for")
	}
	e.followThrough(e.outage(), []time.Duration{longOutage})
}

func (e *env) followThrough(o *outage, times []time.Duration) {
	c, writers := e.writers(4)
	followers := []*follower{
		{}, // the whole log
		{rest: c.goOn},
		{filter: e.own("Other", "Final"), rest: c.goOn},
		{filter: e.own()},
		{filter: eventstore.Filter{StreamPrefixes: []string{e.stream("0"), e.stream("3"), e.stream("final")}}},
		{filter: e.own("Happened", "Final")},
		{filter: e.own("Never", "Final")},
	}
	errs := make([]error, len(followers))
	var wg sync.WaitGroup
	for i, f := range followers {
		f.e, f.at = e, o.base
		sub := e.subscribe(f.at, f.filter)
		wg.Go(func() { errs[i] = f.run(sub) })
	}
	c.through(o, 5, times)
	c.finish()
	e.awaitServer()
	e.checkWritten(o.base, writers)
	e.must(e.stream("final"), eventstore.NoStream, ofType("Final", news(1)))
	all := e.readAll(o.base, eventstore.Forwards, 0, e.own())
	end := slices.IndexFunc(all, func(r eventstore.Recorded) bool { return r.Type == "Final" })
	all = all[:end+1] // an append that nobody waits for any more may come behind
	wg.Wait()
	for i, f := range followers {
		want := slices.DeleteFunc(slices.Clone(all), func(r eventstore.Recorded) bool { return !f.filter.Matches(r.Stream, r.Type) })
		if errs[i] != nil || !slices.Equal(f.got, ids(want)) {
			e.Errorf("follower %d: %d events, want %d in the log's order (%v)", i, len(f.got), len(want), errs[i])
		}
	}
}

func readsThroughOutages(e *env) {
	o := e.outage()
	reads := e.readings(o.base)
	c := e.crew()
	for _, r := range reads {
		c.add(func() error {
			return e.again(readPatience, func(ctx context.Context) error { return r.run(ctx, func() {}) })
		})
	}
	c.through(o, 1, outages)
	c.finish()
	e.awaitServer()
	e.cutOff(o, reads)
}

// cutOff takes the server away when every read has yielded its first event.
func (e *env) cutOff(o *outage, reads []reading) {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	begun, cut, ended := make(chan struct{}, len(reads)), make(chan struct{}), make(chan error, len(reads))
	for _, r := range reads {
		go func() {
			ended <- r.run(ctx, func() {
				begun <- struct{}{}
				select {
				case <-cut:
				case <-ctx.Done():
				}
			})
		}()
	}
	for range reads {
		receive(e, begun)
	}
	o.stop()
	close(cut)
	e.pause(shortCall)
	cancel()
	late := time.After(prompt)
	for range reads {
		select {
		case err := <-ended:
			if err != nil && !away(ctx, err) {
				e.Error(err)
			}
		case <-late:
			e.Fatal("a read goes on without a server after its context has ended")
		}
	}
}

func endsCallsInOutage(e *env) {
	o := e.outage()
	s := e.stream("idle")
	first, live := news(3), ofType("Final", news(1))
	e.must(s, eventstore.NoStream, first)
	sub := e.subscribe(o.base, e.own())
	e.untilCaughtUp(sub)
	idle := &follower{e: e, filter: eventstore.Filter{StreamPrefixes: []string{s}}}
	quiet := e.subscribe(o.base, idle.filter)
	history, at := e.untilCaughtUp(quiet)
	idle.got, idle.at = ids(history), at
	followed := make(chan error, 1)
	go func() { followed <- idle.run(quiet) }()

	o.stop()
	calls := e.calls(e.stream("a"))
	calls["next"] = func(ctx context.Context) error { return drain(ctx, sub) }
	e.endInTime(calls)
	o.start()
	e.awaitServer()
	e.must(s, eventstore.Exactly(2), live)
	want := idsOf(slices.Concat(first, live))
	e.same("the stream", e.readStream(s, 0, eventstore.Forwards, 0), want)
	if err := receive(e, followed); err != nil || !slices.Equal(idle.got, want) {
		e.Errorf("an idle follower got %d events, want %d (%v)", len(idle.got), len(want), err)
	}
}

// endInTime makes calls that no server answers.
func (e *env) endInTime(calls map[string]func(context.Context) error) {
	e.Helper()
	type answer struct {
		what string
		err  error
		away bool
	}
	answers := make(chan answer, len(calls))
	for what, call := range calls {
		go func() {
			ctx, cancel := context.WithTimeout(e.ctx, shortCall)
			defer cancel()
			err := call(ctx)
			answers <- answer{what, err, err != nil && away(ctx, err)}
		}()
	}
	late := time.After(shortCall + prompt)
	for len(calls) > 0 {
		select {
		case a := <-answers:
			delete(calls, a.what)
			if !a.away {
				e.Errorf("%s without a server: %v", a.what, a.err)
			}
		case <-late:
			e.Fatalf("calls go on without a server after their context has ended: %v", slices.Sorted(maps.Keys(calls)))
		}
	}
}

func closesInOutage(e *env) {
	o := e.outage()
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(1))
	sub := e.subscribe(o.base, e.own())
	e.untilCaughtUp(sub)
	ended, closed := make(chan error, 1), make(chan error, 1)
	go func() { ended <- drain(e.ctx, sub) }()
	o.stop()
	go func() { closed <- e.store.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			e.Errorf("close: %v", err)
		}
	case <-time.After(prompt):
		e.Fatal("close waits for the server")
	}
	if err := receive(e, ended); !errors.Is(err, eventstore.ErrClosed) && !errors.Is(err, eventstore.ErrUnavailable) {
		e.Errorf("next: %v", err)
	}
	for what, err := range e.every(e.ctx, s) {
		if !errors.Is(err, eventstore.ErrClosed) {
			e.Errorf("%s: %v", what, err)
		}
	}
}
