package eventstoredb

import (
	"context"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// What the messages of a subscription do to its progress.

// event takes an event that came. It waits while the reader has too much before it.
func (s *subscription) event(ctx context.Context, from *esdb.RecordedEvent) error {
	if from == nil {
		return nil
	}
	e, err := recorded(from)
	if err != nil {
		return err
	}
	passes := !own(&e) && s.filter.Matches(e.Stream, e.Type)
	if err := s.in.waitForRoom(ctx); err != nil {
		return err
	}
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.messages++
	if e.Position <= s.position {
		return nil
	}
	if passes {
		s.in.add(e)
	}
	s.position, s.pending = e.Position, 0
	signal(s.in.arrived)
	return nil
}

func (s *subscription) checkpoint(at eventstore.Position) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.messages++
	if !s.live {
		s.pending = max(s.pending, at)
		return
	}
	s.position = max(s.position, at)
	signal(s.in.arrived)
}

// caughtUp says that all of history has come: everything up to a checkpoint before it, and up to where the log ended when
// the server was asked for it.
func (s *subscription) caughtUp() {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.messages++
	s.live, s.told = true, false
	s.position, s.pending = max(s.position, s.pending, s.end), 0
	signal(s.in.arrived)
}

func (s *subscription) fellBehind() {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.messages++
	s.live = false
}

// watch looks at the log when nothing has come for a while: a server can fall silent without the connection ending. When
// the log has moved on, the subscription is made anew, which also tells how far it is when its filter held back everything.
func (s *subscription) watch(l *link, cancel context.CancelCauseFunc) (stop func()) {
	before := s.received()
	var timer *time.Timer
	var mu sync.Mutex // timer is set before it is used
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		if now := s.received(); now != before || s.in.full() {
			before = now
			timer.Reset(s.store.opts.idle)
			return
		}
		end, err := s.store.end(s.ctx)
		switch {
		case err != nil:
			l.retire(err)
			cancel(err)
		case end > s.at() && s.received() == before:
			cancel(errIdle)
		default:
			timer.Reset(s.store.opts.idle)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(s.store.opts.idle, look)
	return func() { timer.Stop() }
}
