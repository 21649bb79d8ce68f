package embedded

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	tailLook  = 4 << 10 // events of the tail that a batch looks at
	idlePages = 16      // pages without a match after which a batch tells how far it is
)

// subscription pulls: it has no goroutine and no queue, so a slow follower costs nothing but its own delay.
type subscription struct {
	store    *Store
	filter   eventstore.Filter
	position eventstore.Position // up to which everything has been delivered
	told     bool                // that position is the end of the log
	once     sync.Once
	closed   chan struct{}
}

// Subscribe follows the log from the place after a position.
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position, filter eventstore.Filter) (eventstore.Subscription, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return nil, err
	}
	if after == eventstore.End {
		after = head
	}
	if after > head {
		return nil, fmt.Errorf("%w: subscribe after %d, but the log ends at %d", eventstore.ErrInvalid, after, head)
	}
	return &subscription{store: s, filter: cloned(filter), position: after, closed: make(chan struct{})}, nil
}

// Next waits for the next batch.
func (s *subscription) Next(ctx context.Context) (eventstore.Batch, error) {
	for {
		if err := s.ended(ctx); err != nil {
			return eventstore.Batch{}, err
		}
		b, ok := s.store.tail.read(s.position, s.filter, tailLook)
		if !ok {
			var err error
			if b, err = s.fromFile(ctx); err != nil {
				return eventstore.Batch{}, s.reason(err)
			}
		}
		if b.Position != s.position || b.CaughtUp && !s.told {
			s.position, s.told = b.Position, b.CaughtUp
			return b, nil
		}
		if err := s.wait(ctx); err != nil {
			return eventstore.Batch{}, err
		}
	}
}

// fromFile reads pages until one has a match, or it is time to tell how far they got.
func (s *subscription) fromFile(ctx context.Context) (eventstore.Batch, error) {
	b := eventstore.Batch{Position: s.position}
	head := s.store.tail.last()
	for range idlePages {
		var p page
		err := s.store.readers.use(ctx, func(r *reader) (err error) {
			p, err = r.logPage(false, b.Position, head, pageRows, s.filter)
			return err
		})
		if err != nil {
			return eventstore.Batch{}, err
		}
		if b.Position = head; p.more {
			b.Position = p.last.Position
		}
		b.Events, b.CaughtUp = p.events, b.Position >= s.store.tail.last()
		if len(b.Events) > 0 || !p.more || s.ended(ctx) != nil {
			break
		}
	}
	return b, nil
}

func (s *subscription) wait(ctx context.Context) error {
	moved := s.store.tail.wait(s.position)
	if moved == nil {
		return nil
	}
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return eventstore.ErrClosed
	case <-s.store.closed:
		return eventstore.ErrClosed
	}
}

func (s *subscription) ended(ctx context.Context) error {
	select {
	case <-s.closed:
		return eventstore.ErrClosed
	default:
		return s.store.readers.usable(ctx)
	}
}

// reason is why a read failed: the end of the subscription before anything else.
func (s *subscription) reason(err error) error {
	select {
	case <-s.closed:
		return eventstore.ErrClosed
	default:
		return err
	}
}

// Close ends the subscription.
func (s *subscription) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func cloned(f eventstore.Filter) eventstore.Filter {
	return eventstore.Filter{StreamPrefixes: slices.Clone(f.StreamPrefixes), Types: slices.Clone(f.Types)}
}
