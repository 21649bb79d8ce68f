package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// memoryLook is how many events a batch looks at: few, so that followers get many batches.
const memoryLook = 100

// memorySubscription pulls: it reads the log when it is asked for a batch.
type memorySubscription struct {
	store  *Memory
	filter eventstore.Filter
	at     eventstore.Position // up to which everything has been delivered
	told   bool                // that at is the end of the log
	closed chan struct{}
	once   sync.Once // closes closed
}

// Subscribe follows the log from the place after a position.
func (m *Memory) Subscribe(ctx context.Context, after eventstore.Position, filter eventstore.Filter) (eventstore.Subscription, error) {
	head, err := m.Head(ctx)
	if err != nil {
		return nil, err
	}
	if after == eventstore.End {
		after = head
	}
	if after > head {
		return nil, fmt.Errorf("%w: subscribe after %d, but the log ends at %d", eventstore.ErrInvalid, after, head)
	}
	return &memorySubscription{store: m, filter: cloned(filter), at: after, closed: make(chan struct{})}, nil
}

// Next waits for the next batch.
func (s *memorySubscription) Next(ctx context.Context) (eventstore.Batch, error) {
	for {
		if err := s.ended(ctx); err != nil {
			return eventstore.Batch{}, err
		}
		b, moved := s.store.batch(s.at, s.filter)
		if b.Position != s.at || !s.told {
			s.at, s.told = b.Position, b.CaughtUp
			return b, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
		case <-s.closed:
		case <-s.store.closed:
		}
	}
}

// batch is what comes after a position, and a channel that tells that there is more.
func (m *Memory) batch(after eventstore.Position, f eventstore.Filter) (eventstore.Batch, <-chan struct{}) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	end := eventstore.Position(len(m.log))
	b := eventstore.Batch{Position: max(after, min(after+memoryLook, end))}
	b.CaughtUp = b.Position >= end
	for _, r := range m.log[min(after, end):min(b.Position, end)] {
		if f.Matches(r.Stream, r.Type) {
			b.Events = append(b.Events, r)
		}
	}
	return b, m.moved
}

func (s *memorySubscription) ended(ctx context.Context) error {
	select {
	case <-s.closed:
		return eventstore.ErrClosed
	default:
		return s.store.usable(ctx)
	}
}

// Close ends the subscription.
func (s *memorySubscription) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func cloned(f eventstore.Filter) eventstore.Filter {
	return eventstore.Filter{StreamPrefixes: slices.Clone(f.StreamPrefixes), Types: slices.Clone(f.Types)}
}
