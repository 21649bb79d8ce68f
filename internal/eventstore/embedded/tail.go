package embedded

import (
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// eventOverhead is what an event costs in memory besides its bytes.
const eventOverhead = 160

// tail holds the end of the log in memory, dense up to head, and wakes those who wait for more. It is written by the
// writer after a commit, or by the poller of a read-only store, which only moves head.
type tail struct {
	mu        sync.RWMutex
	head      eventstore.Position
	ring      []eventstore.Recorded // length a power of two; empty until the first event
	next      int                   // where in ring the next event goes, counted without wrapping
	count     int                   // events in ring, the last of which has position head
	bytes     int
	maxEvents int
	maxBytes  int
	moved     chan struct{} // closed when head moves; nil while nobody waits
}

// publish appends committed events and wakes the followers.
func (t *tail) publish(events []eventstore.Recorded) {
	if len(events) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range events {
		t.push(&events[i])
	}
	t.move(events[len(events)-1].Position)
}

// advance moves head without events, so that followers read them from the file.
func (t *tail) advance(head eventstore.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if head > t.head {
		t.count, t.bytes = 0, 0
		t.move(head)
	}
}

func (t *tail) move(head eventstore.Position) {
	t.head = head
	if t.moved != nil {
		close(t.moved)
		t.moved = nil
	}
}

func (t *tail) push(e *eventstore.Recorded) {
	for t.count > 0 && (t.count >= t.maxEvents || t.bytes >= t.maxBytes) {
		oldest := &t.ring[(t.next-t.count)&(len(t.ring)-1)]
		t.bytes -= weight(oldest)
		*oldest = eventstore.Recorded{}
		t.count--
	}
	if t.count == len(t.ring) {
		t.grow()
	}
	t.ring[t.next&(len(t.ring)-1)] = *e
	t.next++
	t.count++
	t.bytes += weight(e)
}

func (t *tail) grow() {
	bigger := make([]eventstore.Recorded, max(2*len(t.ring), 256))
	for i := range t.count {
		bigger[i] = t.ring[(t.next-t.count+i)&(len(t.ring)-1)]
	}
	t.ring, t.next = bigger, t.count
}

func weight(e *eventstore.Recorded) int { return len(e.Data) + len(e.Metadata) + eventOverhead }

// last is the position of the last committed event.
func (t *tail) last() eventstore.Position {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.head
}

// wait gives a channel that is closed when head moves beyond after, or nil when it has.
func (t *tail) wait(after eventstore.Position) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.head > after {
		return nil
	}
	if t.moved == nil {
		t.moved = make(chan struct{})
	}
	return t.moved
}

// read takes from the tail the events after a position that pass the filter, having looked at no more than limit. It
// tells up to which position it has looked and whether that was the end; ok is false when the tail begins later.
func (t *tail) read(after eventstore.Position, filter eventstore.Filter, limit int) (b eventstore.Batch, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	behind := int(t.head - after)
	if after > t.head || behind > t.count {
		return b, false
	}
	looked := min(behind, limit)
	all := len(filter.StreamPrefixes) == 0 && len(filter.Types) == 0
	if all && looked > 0 {
		b.Events = make([]eventstore.Recorded, 0, looked)
	}
	for i := range looked {
		e := &t.ring[(t.next-behind+i)&(len(t.ring)-1)]
		if filter.Matches(e.Stream, e.Type) {
			b.Events = append(b.Events, *e)
		}
	}
	b.Position = after + eventstore.Position(looked)
	b.CaughtUp = looked == behind
	return b, true
}
