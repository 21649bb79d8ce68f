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

// apply folds a batch and has it stored. When a row is refused, everything from what is stored up to the end of the batch
// is done once more with care.
func (e *Engine) apply(ctx context.Context, b *Batch) error {
	e.backlog.taken(b)
	if e.Position() < e.until {
		return e.applyWithCare(ctx, b)
	}
	s, err := e.fold(ctx, b)
	if err == nil {
		err = e.send(ctx, s)
	}
	if !e.db.Detached() {
		e.backlog.committed()
	}
	return err
}

// applyWithCare stores a batch, and waits for it. When the database refuses what an event has led to, it looks for the event
// by halves, and leaves it out: trying again would stop all others.
func (e *Engine) applyWithCare(ctx context.Context, b *Batch) error {
	err := e.storeWithCare(ctx, b)
	if !readstore.Refused(err) || len(b.Events) == 0 {
		return err
	}
	if err := e.recall(ctx, false); err != nil {
		return err
	}
	if half := len(b.Events) / 2; half > 0 {
		first := Batch{Events: b.Events[:half], Position: b.Events[half-1].Position}
		if err := e.applyWithCare(ctx, &first); err != nil {
			return err
		}
		return e.applyWithCare(ctx, &Batch{Events: b.Events[half:], Position: b.Position, CaughtUp: b.CaughtUp})
	}
	failed, ok := errors.AsType[*writeError](err)
	if !ok || failed.runner.refused != nil {
		return err
	}
	event := &b.Events[0]
	failed.runner.refused = &failure{event.Stream, event.Revision, "the database refused its rows"}
	defer func() { failed.runner.refused = nil }()
	return e.applyWithCare(ctx, b)
}

func (e *Engine) storeWithCare(ctx context.Context, b *Batch) error {
	if err := e.settle(); err != nil {
		return err
	}
	s, err := e.fold(ctx, b)
	if err != nil {
		return err
	}
	s.careful = true
	if err := e.commit(ctx, s); err != nil {
		return err
	}
	e.backlog.committed()
	return nil
}
