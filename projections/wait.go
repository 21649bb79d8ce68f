package projections

import (
	"context"
	"slices"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// place is how far an engine has come, for those who wait for it. It wakes only those whose position has been reached.
type place struct {
	mu       sync.Mutex
	position eventstore.Position
	waiting  []*waiter
	wanted   chan struct{} // one slot: somebody has begun to wait
}

type waiter struct {
	position eventstore.Position
	reached  chan struct{}
}

func (p *place) get() eventstore.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.position
}

func (p *place) set(position eventstore.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position = position
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		if w.position > position {
			return false
		}
		close(w.reached)
		return true
	})
}

// waitedFor tells whether somebody waits.
func (p *place) waitedFor() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) > 0
}

func (p *place) wait(ctx context.Context, position eventstore.Position) error {
	p.mu.Lock()
	if p.position >= position {
		p.mu.Unlock()
		return nil
	}
	w := &waiter{position, make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	signal(p.wanted)
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting = slices.DeleteFunc(p.waiting, func(other *waiter) bool { return other == w })
		return ctx.Err()
	}
}
