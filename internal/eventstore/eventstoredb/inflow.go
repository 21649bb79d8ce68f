package eventstoredb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Bounds of what is held for a reader who is slower than the server. Beyond them nothing is received, which the server
// feels.
const (
	inflowEvents = 8 << 10
	inflowBytes  = 8 << 20
	// eventOverhead is what an event costs in memory besides its bytes.
	eventOverhead = 300
)

// inflow holds what a goroutine receives from the server, until the reader takes it. The reader may leave at any time.
type inflow struct {
	mu      sync.Mutex
	events  []eventstore.Recorded
	bytes   int
	err     error
	arrived chan struct{} // one slot: there is something
	room    chan struct{} // one slot: there is room again
}

func newInflow() *inflow {
	return &inflow{arrived: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds an event when there is room; it fails when ctx ends first.
func (in *inflow) put(ctx context.Context, e eventstore.Recorded) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.makeRoom(ctx); err != nil {
		return err
	}
	in.add(e)
	signal(in.arrived)
	return nil
}

// makeRoom is called under the lock, which it lets go of while it waits.
func (in *inflow) makeRoom(ctx context.Context) error {
	for in.crowded() {
		in.mu.Unlock()
		select {
		case <-in.room:
		case <-ctx.Done():
		}
		in.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (in *inflow) crowded() bool { return len(in.events) >= inflowEvents || in.bytes >= inflowBytes }

func (in *inflow) full() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.crowded()
}

// add is called under the lock.
func (in *inflow) add(e eventstore.Recorded) {
	in.events = append(in.events, e)
	in.bytes += len(e.Data) + len(e.Metadata) + eventOverhead
}

// end says that nothing more comes, and why.
func (in *inflow) end(err error) {
	in.mu.Lock()
	in.err = err
	in.mu.Unlock()
	signal(in.arrived)
}

// take waits for events, and fails with the end's error when all have been taken. A server that is silent for so long is
// taken to be lost.
func (in *inflow) take(ctx context.Context, patience time.Duration) ([]eventstore.Recorded, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		in.mu.Lock()
		events, err := in.events, in.err
		in.events, in.bytes = nil, 0
		in.mu.Unlock()
		if len(events) > 0 {
			signal(in.room)
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-in.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, errSilent
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// recorded is an event as the contract has it.
func recorded(e *esdb.RecordedEvent) eventstore.Recorded {
	return eventstore.Recorded{
		Event:  eventstore.Event{ID: e.EventID, Type: e.EventType, Data: e.Data, Metadata: e.UserMetadata},
		Stream: e.StreamID, Revision: e.EventNumber, Position: eventstore.Position(e.Position.Commit), RecordedAt: e.CreatedDate.UTC(),
	}
}

// shares tells of an event that was written in a transaction: it shares its commit position with others, so there is no
// position after it from which to go on. Where it passes a filter it is refused rather than lost.
func shares(e *esdb.RecordedEvent) bool { return e.Position.Commit != e.Position.Prepare }

func errShared(e *esdb.RecordedEvent) error {
	return fmt.Errorf("%w: the event at position %d was written in a transaction, which is not supported", eventstore.ErrInvalid, e.Position.Prepare)
}

// own tells whether an event is the server's own.
func own(e *eventstore.Recorded) bool {
	return eventstore.Own(e.Stream) || len(e.Type) > 0 && e.Type[0] == '$'
}
