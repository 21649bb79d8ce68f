package live

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Bounds of what is held for one follower.
const (
	buffered = 256 // steps waiting for it
	page     = 500 // events of one read
)

// Step is one event on its way to those who listen, shared between them.
type Step struct {
	eventcodec.Envelope // Event is nil for an event that this program does not know

	mu    sync.Mutex
	shown []shown
}

type shown struct {
	to   Rendering
	data []byte
}

// Rendering names a form in which an event is shown: to which audience, and with which number.
type Rendering struct {
	Audience uint8
	Seq      uint64
}

// Render returns the form of the event for that audience, making it only once for all who get the same.
func (s *Step) Render(to Rendering, render func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, done := range s.shown {
		if done.to == to {
			return done.data, nil
		}
	}
	data, err := render()
	if err == nil {
		s.shown = append(s.shown, shown{to, data})
	}
	return data, err
}

// Follower gets every event of one session in order, from the first, without gap or repeat. It is used by one goroutine.
type Follower struct {
	hub     *Hub
	id      domain.SessionID
	next    uint64 // revision
	reading bool   // the stream has to be read before what is buffered can follow
	wake    chan struct{}

	mu     sync.Mutex
	steps  []*Step
	missed bool // the buffer was full
}

// Ready tells when Take has something to give, or is worth asking again.
func (f *Follower) Ready() <-chan struct{} { return f.wake }

// Ended is closed when nothing will come any more.
func (f *Follower) Ended() <-chan struct{} { return f.hub.done }

// Take returns the next events without waiting for any: none when nothing has come.
func (f *Follower) Take(ctx context.Context) ([]*Step, error) {
	if f.reading {
		return f.Read(ctx)
	}
	f.mu.Lock()
	steps, missed := f.steps, f.missed
	f.steps, f.missed = nil, false
	f.mu.Unlock()
	for len(steps) > 0 && steps[0].Revision < f.next {
		steps = steps[1:]
	}
	if missed || len(steps) > 0 && steps[0].Revision != f.next {
		f.putBack(steps)
		return f.Read(ctx)
	}
	if len(steps) > 0 {
		f.next = steps[len(steps)-1].Revision + 1
	}
	return steps, nil
}

// Read returns the next events as the log holds them, however far the hub is.
func (f *Follower) Read(ctx context.Context) ([]*Step, error) {
	f.reading = true
	name := eventcodec.SessionPrefix + string(f.id)
	var steps []*Step
	for recorded, err := range f.hub.store.ReadStream(ctx, name, f.next, eventstore.Forwards, page) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("live: read %s: %w", name, err)
		}
		steps = append(steps, f.hub.decode(ctx, recorded))
	}
	if len(steps) > 0 {
		f.next = steps[len(steps)-1].Revision + 1
	}
	f.reading = len(steps) == page
	if len(steps) > 0 {
		f.signal() // the rest is still to be read, or what came meanwhile is buffered
	}
	return steps, nil
}

// Close ends the following.
func (f *Follower) Close() { f.hub.forget(f) }

// put adds a step to the buffer, unless it is full. It tells whether the follower has to be woken.
func (f *Follower) put(s *Step) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.missed {
		return false
	}
	if len(f.steps) >= buffered {
		f.steps, f.missed = nil, true
		return true
	}
	f.steps = append(f.steps, s)
	return len(f.steps) == 1
}

// putBack keeps what cannot follow yet, in case that the read does not reach it.
func (f *Follower) putBack(steps []*Step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.steps = append(steps, f.steps...)
}

func (f *Follower) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
