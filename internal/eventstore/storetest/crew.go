package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	appendPatience = 500 * time.Millisecond // of the first attempt; less than the longest outage, so that some run out of it
	readPatience   = 2 * time.Second        // of the first attempt
	tryAgain       = 5 * time.Millisecond   // between attempts
)

// outage takes the server of a store away. It is back when the test ends.
type outage struct {
	base                    eventstore.Position // where the log ended before: nothing of the test is there
	stopServer, startServer func()
	away                    bool
}

func (e *env) outage() *outage {
	if e.suite.outage == nil {
		e.Skip("the server of this store cannot be taken away")
	}
	ctx, cancel := context.WithTimeout(context.Background(), outagePatience)
	e.ctx = ctx
	base, err := e.store.Head(ctx)
	if err != nil {
		e.Fatal(err)
	}
	o := &outage{base: base}
	o.stopServer, o.startServer = e.suite.outage(e.T, e.store)
	e.Cleanup(func() {
		cancel()
		o.start()
	})
	return o
}

func (o *outage) stop() {
	o.away = true
	o.stopServer()
}

func (o *outage) start() {
	if o.away {
		o.away = false
		o.startServer()
	}
}

// away tells whether a call ended because the server could not be reached in the time that it had. A server may watch
// the deadline too, and be first by a little.
func away(ctx context.Context, err error) bool {
	if errors.Is(err, eventstore.ErrUnavailable) {
		return true
	}
	if deadline, ok := ctx.Deadline(); ok && errors.Is(err, context.DeadlineExceeded) {
		return time.Until(deadline) < shortCall/2
	}
	return ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// again makes a call until it is answered, with more patience each time that it runs out of it. Start has returned when
// an outage is over, but a connection may wait before it tries again.
func (e *env) again(patience time.Duration, call func(context.Context) error) error {
	for {
		ctx, cancel := context.WithTimeout(e.ctx, patience)
		err := call(ctx)
		if gone := err != nil && away(ctx, err); !gone {
			cancel()
			return err
		}
		if ctx.Err() != nil {
			patience *= 2
		}
		cancel()
		if !e.pause(tryAgain) {
			return err
		}
	}
}

// awaitServer waits until all calls are answered again.
func (e *env) awaitServer() {
	e.Helper()
	for what, call := range e.calls(e.stream("up")) {
		if err := e.again(readPatience, call); err != nil && !errors.Is(err, eventstore.ErrStreamNotFound) {
			e.Fatalf("%s after an outage: %v", what, err)
		}
	}
}

// pause waits, and tells whether the test goes on.
func (e *env) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-e.ctx.Done():
		return false
	}
}

// receive takes what comes before the test's patience ends.
func receive[T any](e *env, c <-chan T) (v T) {
	e.Helper()
	select {
	case v = <-c:
	case <-e.ctx.Done():
		e.Fatal("nothing comes any more")
	}
	return v
}

// crew works through outages: everyone takes one step after the other until the work is finished. A step that meets an
// outage tries again by itself; its error fails the test.
type crew struct {
	e     *env
	size  int
	steps atomic.Int64
	quit  chan struct{}
	ended chan error // one for each, whether anybody waits for it or not
}

func (e *env) crew() *crew {
	return &crew{e: e, quit: make(chan struct{}), ended: make(chan error, 100)}
}

func (c *crew) add(step func() error) {
	c.size++
	go func() {
		for {
			select {
			case <-c.quit:
				c.ended <- nil
				return
			default:
			}
			if err := step(); err != nil {
				c.ended <- err
				return
			}
			c.steps.Add(1)
		}
	}()
}

// through takes the server away for each of the times. Before and after each, the work goes on by so many steps of a
// member on average.
func (c *crew) through(o *outage, steps int, times []time.Duration) {
	c.e.Helper()
	for _, d := range times {
		c.progress(steps)
		o.stop()
		c.e.pause(d)
		o.start()
	}
	c.progress(steps)
}

// progress waits until the work has gone on, and fails the test when somebody does.
func (c *crew) progress(steps int) {
	c.e.Helper()
	for goal := c.steps.Load() + int64(steps*c.size); c.steps.Load() < goal; {
		select {
		case err := <-c.ended:
			c.e.Fatal(err)
		default:
		}
		if !c.e.pause(tryAgain) {
			c.e.Fatal("nothing goes on any more")
		}
	}
}

// goOn waits until the work has gone on by a step of each, or is finished.
func (c *crew) goOn() {
	for goal := c.steps.Load() + int64(c.size); c.steps.Load() < goal; {
		select {
		case <-c.quit:
			return
		default:
		}
		if !c.e.pause(tryAgain) {
			return
		}
	}
}

// finish lets everyone end the last step.
func (c *crew) finish() {
	c.e.Helper()
	close(c.quit)
	for range c.size {
		if err := receive(c.e, c.ended); err != nil {
			c.e.Fatal(err)
		}
	}
}
