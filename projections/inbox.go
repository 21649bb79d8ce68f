package projections

import (
	"context"
	"sync"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// inbox gathers what a source delivers while a batch is being committed, so that batches grow by themselves when there is
// much to do: from one event when all is quiet up to the limit when catching up.
type inbox struct {
	min, max int

	mu    sync.Mutex
	batch Batch
	any   bool // batch holds something, if only a position
	// How far the source has been read, and whether that was the end of the log.
	read     eventstore.Position
	caughtUp bool
	err      error

	filled  chan struct{} // one slot: there is something
	emptied chan struct{} // one slot: there is room
}

func newInbox(min, max int) *inbox {
	return &inbox{min: min, max: max, filled: make(chan struct{}, 1), emptied: make(chan struct{}, 1)}
}

// fill reads the source until it fails.
func (in *inbox) fill(ctx context.Context, source Source) {
	for {
		b, err := source.Next(ctx)
		if err == nil {
			err = in.put(ctx, b)
		}
		if err != nil {
			in.mu.Lock()
			in.err = err
			in.mu.Unlock()
			signal(in.filled)
			return
		}
	}
}

func (in *inbox) put(ctx context.Context, b Batch) error {
	for {
		in.mu.Lock()
		if len(in.batch.Events) < in.max {
			in.batch.Events = append(in.batch.Events, b.Events...)
			in.batch.Position, in.batch.CaughtUp, in.any = b.Position, b.CaughtUp, true
			in.read, in.caughtUp = b.Position, b.CaughtUp
			in.mu.Unlock()
			signal(in.filled)
			return nil
		}
		in.mu.Unlock()
		select {
		case <-in.emptied:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take waits until there is something, and takes all of it. The memory of the batch taken before is used again.
func (in *inbox) take(ctx context.Context, before Batch) (Batch, error) {
	for {
		in.mu.Lock()
		if in.full() {
			b := in.batch
			clear(before.Events)
			in.batch, in.any = Batch{Events: before.Events[:0]}, false
			in.mu.Unlock()
			signal(in.emptied)
			return b, nil
		}
		err := in.err
		in.mu.Unlock()
		if err != nil {
			return Batch{}, err
		}
		select {
		case <-in.filled:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// full tells whether there is a batch to take.
func (in *inbox) full() bool { return in.any && (len(in.batch.Events) >= in.min || in.caughtUp) }

// await waits until take would not wait, or until something else is done, and tells which.
func (in *inbox) await(ctx context.Context, done <-chan struct{}) (ready bool) {
	for {
		in.mu.Lock()
		ready = in.full() || in.err != nil
		in.mu.Unlock()
		if ready {
			signal(in.filled) // which this may have taken from take
			return true
		}
		select {
		case <-in.filled:
		case <-done:
			return false
		case <-ctx.Done():
			return true // take tells
		}
	}
}

// look tells how many events lie here, when the oldest was recorded, and how far they reach.
func (in *inbox) look() (events int, oldest time.Time, position eventstore.Position, caughtUp bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.batch.Events) > 0 {
		oldest = in.batch.Events[0].RecordedAt
	}
	return len(in.batch.Events), oldest, in.read, in.caughtUp
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
