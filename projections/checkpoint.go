package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// ErrSuperseded ends an engine whose checkpoint was moved, or whose epoch was taken, by another. Nothing of its last batch
// has been stored. Whoever runs the engine may run it again, which takes the next epoch.
var ErrSuperseded = errors.New("projections: another engine has taken over")

// The checkpoint of a projection. Whoever takes the next epoch fences the engines before.
const (
	createCheckpoint = `INSERT INTO checkpoint (name, position, epoch, updated_at) VALUES (?, 0, 0, ?)
		ON CONFLICT (name) DO NOTHING`
	takeEpoch      = `UPDATE checkpoint SET epoch = epoch + 1, updated_at = ? WHERE name = ?`
	moveCheckpoint = `UPDATE checkpoint SET position = ?, updated_at = ? WHERE name = ? AND epoch = ? AND position = ?`
	readCheckpoint = `SELECT position, epoch FROM checkpoint WHERE name = ?`
)

// runner is a projection with its place in the log.
type runner struct {
	Projection
	epoch    int64
	position eventstore.Position
	parked   map[string]bool // streams
	pending  batchPlan
	refused  *failure // whose rows the database refused; set while its batch is stored again
}

// take makes the engine the owner of its projections' checkpoints, and reads where they stand.
func (e *Engine) take(ctx context.Context) error {
	now := e.opts.Clock()
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			if _, err := tx.Exec(createCheckpoint, r.Name(), readstore.At(now)); err != nil {
				return err
			}
			if _, err := tx.Exec(takeEpoch, readstore.At(now), r.Name()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take checkpoints: %w", err)
	}
	return e.db.View(ctx, func(v readstore.Queryer) error {
		for _, r := range e.runners {
			if err := r.read(ctx, v); err != nil {
				return fmt.Errorf("read checkpoint of %s: %w", r.Name(), err)
			}
		}
		return nil
	})
}

func (r *runner) read(ctx context.Context, v readstore.Queryer) error {
	rows, err := v.Query(ctx, readCheckpoint, r.Name())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var position int64
		if err := rows.Scan(&position, &r.epoch); err != nil {
			return err
		}
		r.position = eventstore.Position(position)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	r.forget()
	r.parked, err = parkedStreams(ctx, v, r.Name())
	return err
}

// move moves the checkpoint to a position, if the projection is still this engine's.
func (r *runner) move(tx readstore.Tx, to eventstore.Position, now time.Time) error {
	n, err := tx.Exec(moveCheckpoint, int64(to), readstore.At(now), r.Name(), r.epoch, int64(r.position))
	if err != nil {
		return fmt.Errorf("move checkpoint of %s: %w", r.Name(), err)
	}
	if n != 1 {
		return fmt.Errorf("%w: %s is not at position %d in epoch %d", ErrSuperseded, r.Name(), r.position, r.epoch)
	}
	return nil
}

// Stored is the furthest place of the log up to which any projection of a database is stored, Start for a fresh one.
func Stored(ctx context.Context, db readstore.DB) (eventstore.Position, error) {
	rows, err := db.Query(ctx, "SELECT coalesce(max(position), 0) FROM checkpoint")
	positions, err := readstore.Collect(rows, err, func(rows readstore.Rows) (position int64, err error) {
		return position, rows.Scan(&position)
	})
	if err != nil {
		return 0, fmt.Errorf("read the checkpoints: %w", err)
	}
	return eventstore.Position(positions[0]), nil
}
