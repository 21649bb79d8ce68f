package projections

import (
	"context"
	"errors"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// writeError is a failure to write the rows of a projection.
type writeError struct {
	runner *runner
	err    error
}

func (e *writeError) Error() string { return e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// apply stores a batch. When the database refuses what an event has led to, it looks for the event by halves, and leaves it
// out: trying again would stop all others.
func (e *Engine) apply(ctx context.Context, b *Batch) error {
	err := e.store(ctx, b)
	if !readstore.Refused(err) || len(b.Events) == 0 {
		return err
	}
	e.forget()
	if half := len(b.Events) / 2; half > 0 {
		first := Batch{Events: b.Events[:half], Position: b.Events[half-1].Position}
		if err := e.apply(ctx, &first); err != nil {
			return err
		}
		return e.apply(ctx, &Batch{Events: b.Events[half:], Position: b.Position, CaughtUp: b.CaughtUp})
	}
	failed, ok := errors.AsType[*writeError](err)
	if !ok || failed.runner.refused != nil {
		return err
	}
	event := &b.Events[0]
	failed.runner.refused = &failure{event.Stream, event.Revision, "the database refused its rows"}
	defer func() { failed.runner.refused = nil }()
	return e.apply(ctx, b)
}
