package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var _ eventstore.Store = (*Store)(nil)

// Store is an event store on a cluster.
type Store struct {
	settings Settings
	opts     options
	dialer   *dialer

	closing, life context.Context // ended when Close begins, and when the appends under way are over
	beginClose    context.CancelCauseFunc
	endLife       context.CancelCauseFunc

	mu       sync.Mutex // guards closing against appends that begin, and life against calls that do
	inFlight sync.WaitGroup
	active   sync.WaitGroup // goroutines of calls
	idle     chan func()    // taken by those that have nothing to do
	idling   atomic.Int64
	closed   sync.Once
	gone     chan struct{} // they have all ended
}

// Open connects to a cluster, and returns when its log can be read. A server that refuses the user, or whose version is too
// old, is told at once; one that cannot be reached when WithWait is over.
func Open(ctx context.Context, settings Settings, opts ...Option) (*Store, error) {
	s := &Store{settings: settings, opts: defaults(), gone: make(chan struct{}), idle: make(chan func())}
	for _, o := range opts {
		o(&s.opts)
	}
	s.closing, s.beginClose = context.WithCancelCause(context.Background())
	s.life, s.endLife = context.WithCancelCause(context.Background())
	s.dialer = newDialer(settings, s.opts, s.closing, s.life)
	if err := s.reach(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// reach waits until the log can be read, and tells once that it waits.
func (s *Store) reach(ctx context.Context) error {
	began, told := time.Now(), false
	for {
		err := s.dialer.outcome(ctx)
		if err == nil {
			_, err = s.Head(ctx)
		}
		if !trying(err) {
			return err
		}
		if time.Since(began) >= s.opts.wait {
			return fmt.Errorf("event store cannot be reached, tried for %s: %w", time.Since(began).Round(time.Millisecond), err)
		}
		if !told {
			told = true
			s.opts.logger.Warn("event store cannot be reached, trying on", "for", s.opts.wait, "error", err)
		}
		pause(ctx, s.opts.pause)
	}
}

// trying tells whether an error may go away by itself.
func trying(err error) bool {
	return errors.Is(err, eventstore.ErrUnavailable) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnsupported)
}

// usable tells why no call can begin, if none can.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closing.Err() != nil {
		return eventstore.ErrClosed
	}
	return nil
}

// enter counts an append in, unless the store is closing.
func (s *Store) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Err() != nil {
		return false
	}
	s.inFlight.Add(1)
	return true
}

// maxIdle bounds the goroutines that wait for the next call: beginning one anew means growing its stack through the whole
// client.
const maxIdle = 128

// start runs a call in another goroutine, one that waits for work if there is one, unless the store is closed.
func (s *Store) start(f func()) bool {
	select {
	case s.idle <- f:
		return true
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return false
	}
	s.active.Go(func() { s.work(f) })
	return true
}

// work runs a call, and those that come while few others wait for one.
func (s *Store) work(f func()) {
	for {
		f()
		if s.idling.Add(1) > maxIdle {
			s.idling.Add(-1)
			return
		}
		select {
		case f = <-s.idle:
			s.idling.Add(-1)
		case <-s.life.Done():
			return
		}
	}
}

// Close lets the appends under way be answered, ends everything else, and closes the connections. It does not wait for
// longer than the server may be silent.
func (s *Store) Close() error {
	s.mu.Lock()
	s.beginClose(eventstore.ErrClosed)
	s.mu.Unlock()
	patience, cancel := context.WithTimeout(context.Background(), s.opts.timeout)
	defer cancel()
	answered := make(chan struct{})
	go func() {
		s.inFlight.Wait()
		close(answered)
	}()
	select {
	case <-answered:
	case <-patience.Done():
	}
	s.closed.Do(func() {
		s.mu.Lock()
		s.endLife(eventstore.ErrClosed)
		s.mu.Unlock()
		s.dialer.close()
		go func() {
			s.active.Wait()
			close(s.gone)
		}()
	})
	select {
	case <-s.gone:
	case <-patience.Done(): // a client that hangs cannot be told to stop
		s.opts.logger.Warn("event store closed before all its calls had ended")
	}
	return nil
}

// asked marks a call for the leader, which the client means to do and does not: it puts the header where a server looks.
func asked(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}
