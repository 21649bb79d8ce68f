package storetest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var _ eventstore.Store = (*Memory)(nil)

// Memory is the contract of eventstore.Store in the shortest correct code: a log in memory, lost when it is closed. It
// is for tests, remembers every id, and lets them tamper with the log. Positions are dense, from 1.
type Memory struct {
	mu      sync.RWMutex
	log     []eventstore.Recorded // the event at position p is log[p-1]; never written to below its length
	streams map[string]*memoryStream
	moved   chan struct{} // closed by the next append
	closed  chan struct{}
	once    sync.Once // closes closed
}

// memoryStream is where the events of a stream stand.
type memoryStream struct {
	positions []eventstore.Position // by revision
	revisions map[uuid.UUID]int
}

// NewMemory makes an empty log.
func NewMemory() *Memory {
	return &Memory{streams: map[string]*memoryStream{}, moved: make(chan struct{}), closed: make(chan struct{})}
}

// Append adds events to the end of a stream, or finds that they were added before. Times are kept in microseconds, which
// every store can carry.
func (m *Memory) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if _, err := eventstore.CheckAppend(stream, expected, events); err != nil {
		return eventstore.Appended{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable(ctx); err != nil {
		return eventstore.Appended{}, err
	}
	s := m.streams[stream]
	if s == nil {
		s = &memoryStream{}
	}
	end := len(s.positions)
	first, ok := m.place(s, expected, events)
	if !ok {
		return eventstore.Appended{}, &eventstore.WrongRevision{Stream: stream, Expected: expected, Actual: eventstore.Expected(end - 1)}
	}
	if first == end {
		now := time.Now().UTC().Truncate(time.Microsecond)
		for _, e := range events {
			e.Data, e.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
			s = m.add(eventstore.Recorded{Event: e, Stream: stream, RecordedAt: now})
		}
		m.wake()
	}
	last := first + len(events) - 1
	return eventstore.Appended{Revision: uint64(last), Position: s.positions[last]}, nil
}

// place tells from which revision on the events stand already, or that they go to the end of the stream. It is not ok
// when the stream is not where it was expected.
func (m *Memory) place(s *memoryStream, expected eventstore.Expected, events []eventstore.Event) (first int, ok bool) {
	end := len(s.positions)
	switch {
	case expected >= eventstore.Expected(end), expected == eventstore.StreamExists && end == 0:
		return 0, false
	case expected == eventstore.Any, expected == eventstore.StreamExists:
		first = end
		for i := range events {
			if r, known := s.revisions[events[i].ID]; known {
				first = min(first, r)
			}
		}
	default:
		first = int(expected) + 1
	}
	return first, first == end || m.holds(s, first, events)
}

// holds tells whether a stream has the ids of these events from a revision on.
func (m *Memory) holds(s *memoryStream, first int, events []eventstore.Event) bool {
	if first+len(events) > len(s.positions) {
		return false
	}
	for i := range events {
		if m.log[s.positions[first+i]-1].ID != events[i].ID {
			return false
		}
	}
	return true
}

// add gives an event its place at the end of the log and of its stream.
func (m *Memory) add(r eventstore.Recorded) *memoryStream {
	s := m.streams[r.Stream]
	if s == nil {
		s = &memoryStream{revisions: map[uuid.UUID]int{}}
		m.streams[r.Stream] = s
	}
	r.Revision, r.Position = uint64(len(s.positions)), eventstore.Position(len(m.log)+1)
	s.revisions[r.ID] = len(s.positions)
	s.positions = append(s.positions, r.Position)
	m.log = append(m.log, r)
	return s
}

func (m *Memory) wake() {
	close(m.moved)
	m.moved = make(chan struct{})
}

// ReadStream yields the events of one stream.
func (m *Memory) ReadStream(ctx context.Context, stream string, from uint64, direction eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		log, positions, err := m.look(ctx, stream)
		if err == nil && positions == nil {
			err = fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
		}
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		next := m.reading(ctx, limit, yield)
		if direction == eventstore.Backwards && from < math.MaxUint64 {
			from++ // inclusive
		}
		for _, p := range walk(positions, from, direction) {
			if !next(log[p-1]) {
				return
			}
		}
	}
}

// ReadAll yields the events of all streams that pass the filter.
func (m *Memory) ReadAll(ctx context.Context, from eventstore.Position, direction eventstore.Direction, limit int, filter eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	filter = cloned(filter)
	return func(yield func(eventstore.Recorded, error) bool) {
		log, _, err := m.look(ctx, "")
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		next := m.reading(ctx, limit, yield)
		for _, r := range walk(log, uint64(from), direction) {
			if filter.Matches(r.Stream, r.Type) && !next(r) {
				return
			}
		}
	}
}

// look gives the log and a stream's positions as they are now.
func (m *Memory) look(ctx context.Context, stream string) (log []eventstore.Recorded, positions []eventstore.Position, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.streams[stream]; s != nil {
		positions = s.positions
	}
	return m.log, positions, m.usable(ctx)
}

// walk goes from index from to the end, or backwards from before it to the start.
func walk[T any](all []T, from uint64, direction eventstore.Direction) iter.Seq2[int, T] {
	n := min(from, uint64(len(all)))
	if direction == eventstore.Backwards {
		return slices.Backward(all[:n])
	}
	return slices.All(all[n:])
}

// reading yields the events that it is called with, until limit, the context or the store ends the read.
func (m *Memory) reading(ctx context.Context, limit int, yield func(eventstore.Recorded, error) bool) func(eventstore.Recorded) bool {
	n := 0
	return func(r eventstore.Recorded) bool {
		if err := m.usable(ctx); err != nil {
			yield(eventstore.Recorded{}, err)
			return false
		}
		n++
		return yield(r, nil) && n != limit
	}
}

// Head is the position of the last event.
func (m *Memory) Head(ctx context.Context) (eventstore.Position, error) {
	if err := m.usable(ctx); err != nil {
		return eventstore.Start, err
	}
	return eventstore.Position(m.Len()), nil
}

func (m *Memory) usable(ctx context.Context) error {
	select {
	case <-m.closed:
		return eventstore.ErrClosed
	default:
		return ctx.Err()
	}
}

// Close ends everything. What was appended can still be counted.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.once.Do(func() { close(m.closed) })
	return nil
}

// Len is how many events the log has.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.log)
}

// Truncate takes away all events after a position, as one who restores an older backup does. Subscriptions that stand
// beyond it wait until the log has grown past them again.
func (m *Memory) Truncate(to eventstore.Position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.log[:min(to, eventstore.Position(len(m.log)))]
	m.log, m.streams = nil, map[string]*memoryStream{}
	for _, r := range kept {
		m.add(r)
	}
}
