package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Rebuild empties the tables of the engine's projections and folds the log again from its start, up to where it ends at
// the time of the call. It takes the checkpoints, so an engine elsewhere that runs the same projections stops with
// ErrSuperseded; this one must not be running. Until it is done, readers see what has been built. When it is stopped, a
// Run goes on where it was. progress may be nil.
func (e *Engine) Rebuild(ctx context.Context, progress func(done, total eventstore.Position)) error {
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("projections: the engine is running")
	}
	defer e.running.Store(false)
	total, err := e.log.Head(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if err := e.take(ctx); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if err := e.empty(ctx); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	return e.follow(ctx, func(done eventstore.Position) bool {
		if progress != nil {
			progress(min(done, total), total)
		}
		return done >= total
	})
}

// empty takes everything out of the tables, and the checkpoints back to the start.
func (e *Engine) empty(ctx context.Context) error {
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			for _, table := range r.Tables() {
				if _, err := tx.Exec("DELETE FROM " + table); err != nil {
					return fmt.Errorf("empty %s: %w", table, err)
				}
			}
			if _, err := tx.Exec("DELETE FROM parked_event WHERE projection = ?", r.Name()); err != nil {
				return fmt.Errorf("empty parked_event: %w", err)
			}
			if err := r.move(tx, eventstore.Start, e.opts.Clock()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range e.runners {
		r.position, r.parked = eventstore.Start, map[string]bool{}
		r.forget()
	}
	e.reached()
	return nil
}
