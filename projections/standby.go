package projections

import (
	"context"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// While somebody waits for a position, a process that stands by looks often where the projections are.
const (
	watchedPoll = 5 * time.Millisecond
	idlePoll    = 100 * time.Millisecond
)

// standBy looks where the projections are, which another process runs, until it is time to try for the leases again.
func (e *Engine) standBy(ctx context.Context) error {
	end := time.NewTimer(standbyPoll)
	defer end.Stop()
	for {
		if err := e.look(ctx); err != nil {
			e.trouble.Store(&err)
		} else {
			e.trouble.Store(nil)
		}
		poll := idlePoll
		if e.place.waitedFor() {
			poll = watchedPoll
		}
		next := time.NewTimer(poll)
		select {
		case <-next.C:
		case <-e.place.wanted:
			pause(ctx, watchedPoll) // and those who come with the first
		case <-end.C:
			next.Stop()
			return nil
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		}
		next.Stop()
	}
}

// look reads how far the projections are stored.
func (e *Engine) look(ctx context.Context) error {
	rows, err := checkpoints(ctx, e.db, e.names())
	if err != nil {
		return err
	}
	position := eventstore.End
	for _, name := range e.names() {
		position = min(position, rows[name].position)
	}
	e.place.set(position)
	return nil
}
