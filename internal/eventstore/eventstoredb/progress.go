package eventstoredb

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// What the messages of a part do to the progress of its subscription.

// errLeft ends a part that another has replaced.
var errLeft = errors.New("the subscription goes on over another connection")

// change does something to the subscription, unless another part has replaced this one.
func (p *part) change(do func()) error {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	if p.current != p {
		return errLeft
	}
	do()
	return nil
}

// event takes an event that came. It waits while the reader has too much before it.
func (p *part) event(ctx context.Context, from *esdb.RecordedEvent) error {
	if from == nil {
		return nil
	}
	e := recorded(from)
	passes := !own(&e) && p.filter.Matches(e.Stream, e.Type)
	if passes && shares(from) {
		return errShared(from)
	}
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	if err := p.in.makeRoom(ctx); err != nil {
		return err
	}
	if p.current != p {
		return errLeft
	}
	p.messages++
	if e.Position <= p.position {
		return nil
	}
	if passes {
		p.in.add(e)
	}
	p.position, p.pending = e.Position, 0
	signal(p.in.arrived)
	return nil
}

func (p *part) checkpoint(at eventstore.Position) error {
	return p.change(func() {
		p.messages++
		if !p.live {
			p.pending = max(p.pending, at)
			return
		}
		p.position = max(p.position, at)
		signal(p.in.arrived)
	})
}

// caughtUp says that all of history has come: everything up to a checkpoint before it, and up to where the log ended when
// the server was asked for it.
func (p *part) caughtUp() error {
	return p.change(func() {
		p.messages++
		p.live, p.told = true, false
		p.position, p.pending = max(p.position, p.pending, p.end), 0
		signal(p.in.arrived)
	})
}

func (p *part) fellBehind() error {
	return p.change(func() { p.live = false })
}

// watch looks at the log when nothing has come for a while: a server can fall silent without the connection ending. When
// the log has moved on, the subscription is made anew, which also tells how far it is when its filter held back everything.
func (p *part) watch(cancel context.CancelCauseFunc) (stop func()) {
	before := p.received()
	var timer *time.Timer
	var mu sync.Mutex // timer is set before it is used, and not after stop
	stopped := false
	again := func() {
		if !stopped {
			timer.Reset(p.store.opts.idle)
		}
	}
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		if now := p.received(); now != before || p.in.full() {
			before = now
			again()
			return
		}
		mu.Unlock() // stop does not wait for the answer
		end, err := p.store.end(p.ctx)
		mu.Lock()
		switch {
		case stopped || p.ctx.Err() != nil:
		case err != nil: // the call has seen to the connection
			cancel(err)
		case end > p.at() && p.received() == before:
			cancel(errIdle)
		default:
			again()
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(p.store.opts.idle, look)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
