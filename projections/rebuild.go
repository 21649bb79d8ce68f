package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// ErrRebuilding is the answer to a rebuild of what another process is rebuilding.
var ErrRebuilding = errors.New("projections: another process is rebuilding this")

// Rebuilding is how a rebuild is done.
type Rebuilding struct {
	Options
	// Anew throws away what an interrupted rebuild has built; otherwise it is continued if it is of this version of the code.
	Anew bool
	// Progress is called now and then with how far of the log is folded; may be nil.
	Progress func(done, total eventstore.Position)
}

// rebuildBatch is about how many events a transaction of a rebuild holds: the more, the fewer rows are written twice.
const rebuildBatch = 8 * DefaultMaxBatch

// holdLive bounds how long the live tables stand still for a swap.
const holdLive = 10 * time.Second

// Rebuild folds the log into fresh tables beside the live ones, and puts them in their place, with the checkpoint, in one
// transaction when they have caught up. Until then the live tables are what readers see and another engine keeps up to date; it
// notices by its lease. When ctx ends before, what has been built stays, and the next call continues.
func Rebuild(ctx context.Context, db readstore.DB, log Log, group []Projection, r Rebuilding) error {
	var tables []string
	for _, p := range group {
		tables = append(tables, p.Tables()...)
	}
	beside, err := db.Beside(ctx, tables)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	err = rebuild(ctx, db, beside, log, group, tables, r)
	if closeErr := beside.Close(); err == nil {
		err = closeErr
	}
	return err
}

// RebuildStale rebuilds those of a group whose rows were built by another version of the code; nothing when there are none.
func RebuildStale(ctx context.Context, db readstore.DB, log Log, group []Projection, r Rebuilding) error {
	var names []string
	for _, p := range group {
		names = append(names, p.Name())
	}
	rows, err := checkpoints(ctx, db, names)
	if err != nil {
		return err
	}
	var stale []Projection
	for _, p := range group {
		if row, ok := rows[p.Name()]; ok && row.version != p.version() && row.position > eventstore.Start {
			stale = append(stale, p)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	return Rebuild(ctx, db, log, stale, r)
}

func rebuild(ctx context.Context, db readstore.DB, beside readstore.Beside, log Log, group []Projection, tables []string, r Rebuilding) error {
	r.Options.Stale, r.Options.Alone = nil, false
	if r.MaxBatch == 0 {
		r.MinBatch, r.MaxBatch = rebuildBatch, rebuildBatch
	}
	fresh, err := NewEngine(beside, log, group, r.Options)
	if err != nil {
		return err
	}
	fresh.ready = func(ctx context.Context) error { return beside.Ready(ctx, tables) }
	if err := fresh.begin(ctx, beside, tables, r.Anew); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	defer fresh.release(ctx)
	if err := fresh.build(ctx, r.Progress); err != nil {
		return err
	}
	err = fresh.holding(ctx, func(ctx context.Context) error { return beside.Complete(ctx, tables) })
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if err := fresh.build(ctx, nil); err != nil { // what came meanwhile
		return err
	}
	live, err := NewEngine(db, log, group, r.Options) // for its leases; it never runs
	if err != nil {
		return err
	}
	for {
		err := fresh.replace(ctx, live, beside, tables)
		if !errors.Is(err, errOvertaken) {
			return err
		}
		pause(ctx, leaseLife) // in which the live tables are brought up to date
	}
}

// begin takes the leases of the fresh tables, and empties these unless they can be continued.
func (e *Engine) begin(ctx context.Context, beside readstore.Beside, tables []string, anew bool) error {
	for patience := time.Now().Add(leaseLife + standbyPoll); ; { // one that was killed has left its lease
		got, err := e.acquire(ctx, false)
		if err != nil {
			return err
		}
		if got {
			break
		}
		if time.Now().After(patience) {
			return ErrRebuilding
		}
		pause(ctx, standbyPoll)
	}
	if !anew && len(e.stale) == 0 {
		return nil
	}
	if err := beside.Empty(ctx, tables); err != nil {
		return err
	}
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			if _, err := tx.Exec("DELETE FROM parked_event WHERE projection = ?", r.Name()); err != nil {
				return err
			}
			const start = `UPDATE checkpoint SET position = 0, version = ?, events = 0, event_at = NULL WHERE name = ? AND epoch = ?`
			if err := tx.One(start, r.version(), r.Name(), r.epoch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.recall(ctx, true)
}

// build folds up to where the log ends now.
func (e *Engine) build(ctx context.Context, progress func(done, total eventstore.Position)) error {
	total, err := e.log.Head(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if progress == nil {
		progress = func(_, _ eventstore.Position) {}
	}
	return e.lead(ctx, func(done eventstore.Position) bool {
		progress(min(done, total), total)
		return done >= total
	})
}

// errOvertaken says that the live tables moved on while they were to be replaced.
var errOvertaken = errors.New("projections: the live tables have moved")

// replace takes the leases of the live tables, so that they stand still, folds what is missing, and swaps.
func (e *Engine) replace(ctx context.Context, live *Engine, beside readstore.Beside, tables []string) error {
	if _, err := live.acquire(ctx, true); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	swapped := false
	defer func() {
		if !swapped {
			live.release(ctx)
		}
	}()
	short, cancel := context.WithTimeout(ctx, holdLive)
	defer cancel()
	still := live.furthest()
	if err := e.lead(short, func(done eventstore.Position) bool { return done >= still }); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	parked, err := parkedTable.Select(ctx, beside, "WHERE projection IN ?", readstore.Of(e.names()))
	if err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	built, err := checkpoints(ctx, beside, e.names())
	if err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	err = beside.Swap(ctx, tables, func(tx readstore.Tx, adopt func() error) error {
		now := readstore.At(live.opts.Clock())
		for _, r := range live.runners {
			row := built[r.Name()]
			err := tx.One(live.sql.adopt, int64(row.position), row.version, row.events, readstore.At(row.eventAt), now, r.Name(), r.epoch)
			if err != nil {
				return err
			}
			if _, err := tx.Exec("DELETE FROM parked_event WHERE projection = ?", r.Name()); err != nil {
				return err
			}
		}
		if err := parkedTable.Write(live.db, tx, parked...); err != nil {
			return err
		}
		return adopt()
	})
	if errors.Is(err, readstore.ErrNotOne) || errors.Is(err, readstore.ErrUnavailable) {
		return errOvertaken // it took so long that the leases expired, and who took them has fenced this process perhaps
	}
	if err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	swapped = true
	return e.finish(ctx)
}

// furthest place of any projection.
func (e *Engine) furthest() eventstore.Position {
	var position eventstore.Position
	for _, r := range e.runners {
		position = max(position, r.position)
	}
	return position
}

// finish forgets the fresh set, whose tables are the live ones now.
func (e *Engine) finish(ctx context.Context) error {
	err := e.db.Write(context.WithoutCancel(ctx), func(tx readstore.Tx) error {
		for _, r := range e.runners {
			for _, statement := range []string{"DELETE FROM checkpoint WHERE name = ?", "DELETE FROM parked_event WHERE projection = ?"} {
				if _, err := tx.Exec(statement, r.Name()); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the tables are swapped, and what is left of the rebuild was not removed: %w", err)
	}
	return nil
}
