package storetest_test

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

// remote is a memory store behind a connection that a test can cut. An impatient one answers ErrUnavailable while it is
// cut; a patient one waits for the next connection, and its reads and subscriptions go on there. Either way an append that
// is under way may be stored and answer ErrUnavailable.
type remote struct {
	*storetest.Memory
	patient bool
	fault   string // what it does wrong, on purpose
	closed  chan struct{}
	once    sync.Once

	mu   sync.Mutex
	up   context.Context // ends when the connection is cut
	cut  func()
	back chan struct{} // closed when there is the next connection
}

func runRemote(t *testing.T, patient bool, fault string) {
	open := func(*testing.T) eventstore.Store {
		r := &remote{Memory: storetest.NewMemory(), patient: patient, fault: fault, closed: make(chan struct{}), back: make(chan struct{})}
		r.start()
		return r
	}
	outage := func(_ *testing.T, s eventstore.Store) (stop, start func()) {
		r := s.(*remote)
		return r.stop, r.start
	}
	storetest.Run(t, open, storetest.WithPromptProgress(), storetest.WithOutage(outage))
}

func (r *remote) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.cut = context.WithCancel(context.Background())
	close(r.back)
}

func (r *remote) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back = make(chan struct{})
	r.cut()
}

// connection is the one there is, or the next.
func (r *remote) connection(ctx context.Context) (context.Context, error) {
	for {
		r.mu.Lock()
		up, back := r.up, r.back
		r.mu.Unlock()
		if up.Err() == nil {
			return up, nil
		}
		if !r.patient {
			return nil, r.unavailable()
		}
		if r.fault == deaf {
			ctx = context.Background()
		}
		select {
		case <-back:
		case <-r.closed:
			return nil, eventstore.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *remote) unavailable() error {
	select {
	case <-r.closed:
		return eventstore.ErrClosed
	default:
		return eventstore.ErrUnavailable
	}
}

// travel takes the time of a message on its way, and tells whether it arrives.
func travel(up context.Context) bool {
	select {
	case <-up.Done():
		return false
	case <-time.After(200 * time.Microsecond):
		return true
	}
}

func (r *remote) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	up, err := r.connection(ctx)
	if err != nil {
		return eventstore.Appended{}, err
	}
	if !travel(up) {
		if r.fault == forgetful {
			return eventstore.Appended{Revision: uint64(int(expected) + len(events)), Position: 1}, nil
		}
		return eventstore.Appended{}, r.unavailable()
	}
	appended, err := r.Memory.Append(ctx, stream, expected, events)
	if travel(up) || err != nil {
		return appended, err
	}
	if r.fault == doubling { // as a client does that tries again with new ids
		again := append([]eventstore.Event(nil), events...)
		for i := range again {
			again[i].ID = uuid.New()
		}
		return r.Memory.Append(ctx, stream, eventstore.Any, again)
	}
	return eventstore.Appended{}, r.unavailable()
}

func (r *remote) Head(ctx context.Context) (eventstore.Position, error) {
	if _, err := r.connection(ctx); err != nil {
		return eventstore.Start, err
	}
	return r.Memory.Head(ctx)
}

func (r *remote) ReadStream(ctx context.Context, stream string, from uint64, direction eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	return r.read(ctx, r.Memory.ReadStream(ctx, stream, from, direction, limit))
}

func (r *remote) ReadAll(ctx context.Context, from eventstore.Position, direction eventstore.Direction, limit int, filter eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	return r.read(ctx, r.Memory.ReadAll(ctx, from, direction, limit, filter))
}

func (r *remote) read(ctx context.Context, events iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		up, err := r.connection(ctx)
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		for e, err := range events {
			if up.Err() != nil {
				if r.fault == short {
					return
				}
				if up, err = r.connection(ctx); err != nil {
					yield(eventstore.Recorded{}, err)
					return
				}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (r *remote) Subscribe(ctx context.Context, after eventstore.Position, filter eventstore.Filter) (eventstore.Subscription, error) {
	up, err := r.connection(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.Memory.Subscribe(ctx, after, filter)
	if err != nil {
		return nil, err
	}
	return &remoteSubscription{Subscription: s, remote: r, up: up, filter: filter}, nil
}

func (r *remote) Close() error {
	r.once.Do(func() { close(r.closed) })
	return r.Memory.Close()
}

// remoteSubscription belongs to a connection.
type remoteSubscription struct {
	eventstore.Subscription
	remote *remote
	up     context.Context
	filter eventstore.Filter
}

func (s *remoteSubscription) Next(ctx context.Context) (eventstore.Batch, error) {
	for {
		connected, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(s.up, cancel)
		b, err := s.Subscription.Next(connected)
		stop()
		cancel()
		if s.up.Err() == nil || ctx.Err() != nil || err != nil && connected.Err() == nil {
			return b, err
		}
		if !s.remote.patient {
			return eventstore.Batch{}, s.remote.unavailable()
		}
		up, lost := s.remote.connection(ctx)
		if lost != nil {
			return eventstore.Batch{}, lost
		}
		s.up = up
		if err == nil {
			return b, nil
		}
		if after, ok := map[string]eventstore.Position{gap: eventstore.End, repeating: eventstore.Start}[s.remote.fault]; ok {
			if s.Subscription, err = s.remote.Memory.Subscribe(ctx, after, s.filter); err != nil {
				return eventstore.Batch{}, err
			}
		}
	}
}
