package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
const rebuildBatch = 4 * DefaultMaxBatch

// holdLive bounds how long the live tables stand still for a swap.
const holdLive = 10 * time.Second

// A swap that readers were in the way of is tried again after a pause, which grows: the live tables, which stood still for it, are
// kept up to date meanwhile.
const (
	swapAgain    = time.Second
	swapAgainMax = 15 * time.Second
)

// Rebuild folds the log into fresh tables beside the live ones, and puts them in their place, with the checkpoint, in one
// transaction when they have caught up. Until then the live tables are what readers see and another engine keeps up to date; it
// notices by its lease. When ctx ends before, what has been built stays, and the next call continues.
func Rebuild(ctx context.Context, db readstore.DB, log Log, group []Projection, r Rebuilding) error {
	tables := tablesOf(group)
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

func tablesOf[P Projection](group []P) []string {
	var tables []string
	for _, p := range group {
		tables = append(tables, p.Tables()...)
	}
	return tables
}

// RebuildStale rebuilds those of a group whose rows were built by an older version of the code; nothing when there are none.
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
		if row, ok := rows[p.Name()]; ok && row.version < p.version() && row.position > eventstore.Start {
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
	fresh.anyVersion = true
	fresh.ready = func(ctx context.Context) error { return beside.Ready(ctx, tables) }
	if err := fresh.begin(ctx, beside, r.Anew); err != nil {
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
	live.anyVersion = true
	return fresh.replaceWhenFree(ctx, live, beside, tables)
}

// replaceWhenFree tries to replace the live tables until readers let it, with growing pauses in which others keep these up to
// date and the fresh ones stay the engine's.
func (e *Engine) replaceWhenFree(ctx context.Context, live *Engine, beside readstore.Beside, tables []string) error {
	for wait := swapAgain; ; wait = min(2*wait, swapAgainMax) {
		err := e.replace(ctx, live, beside, tables)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errOvertaken) {
			return fmt.Errorf("swap: %w", err)
		}
		live.opts.Logger.InfoContext(ctx, "readers are in the way of the swap, trying again", "pause", wait)
		err = e.holding(ctx, func(ctx context.Context) error {
			pause(ctx, wait)
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
}

// begin takes the leases of the fresh tables, and empties those that cannot be continued.
func (e *Engine) begin(ctx context.Context, beside readstore.Beside, anew bool) error {
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
	var unusable []*runner
	for _, r := range e.runners {
		if anew || r.position == eventstore.Start || slices.Contains(e.stale, r.Name()) {
			unusable = append(unusable, r)
		}
	}
	if len(unusable) == 0 {
		return nil
	}
	// First the checkpoints: whoever finds one at the start empties the tables, so a crash in between does no harm.
	if err := e.restart(ctx, unusable); err != nil {
		return err
	}
	if err := beside.Empty(ctx, tablesOf(unusable)); err != nil {
		return err
	}
	return e.recall(ctx, true)
}

// restart puts the checkpoints of projections back to the start of the log.
func (e *Engine) restart(ctx context.Context, runners []*runner) error {
	return e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range runners {
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
		return err
	}
	defer live.release(ctx) // which a swap has done
	short, cancel := context.WithTimeout(ctx, holdLive)
	defer cancel()
	still := live.furthest()
	if err := e.lead(short, func(done eventstore.Position) bool { return done >= still }); err != nil {
		return err
	}
	err := e.swap(ctx, live, beside, tables)
	if errors.Is(err, readstore.ErrNotOne) || errors.Is(err, readstore.ErrInUse) {
		return errOvertaken // readers were in the way, perhaps for so long that the leases expired
	}
	return err
}

// swap puts the fresh tables in the place of the live ones, with the checkpoints and what is parked.
func (e *Engine) swap(ctx context.Context, live *Engine, beside readstore.Beside, tables []string) error {
	parked, err := parkedTable.Select(ctx, beside, "WHERE projection IN ?", readstore.Of(e.names()))
	if err != nil {
		return err
	}
	built, err := checkpoints(ctx, beside, e.names())
	if err != nil {
		return err
	}
	return beside.Swap(ctx, tables, func(tx readstore.Tx, adopt func() error) error {
		if err := e.forsake(tx, beside); err != nil {
			return err
		}
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
}

// forsake puts the fresh set back to the start, in the transaction of the swap: the next rebuild begins anew, and whoever has
// taken over this one has not got its tables taken away. The checkpoints stay, for their epochs must not begin again.
func (e *Engine) forsake(tx readstore.Tx, beside readstore.Beside) error {
	spent := "UPDATE " + beside.Table("checkpoint") + ` SET position = 0, events = 0, event_at = NULL, epoch = epoch + 1, holder = NULL,
		expires_at = NULL WHERE name = ? AND epoch = ? AND position = ?`
	for _, r := range e.runners {
		if err := tx.One(spent, r.Name(), r.epoch, int64(r.position)); err != nil {
			return superseded(err)
		}
		if _, err := tx.Exec("DELETE FROM "+beside.Table("parked_event")+" WHERE projection = ?", r.Name()); err != nil {
			return superseded(err)
		}
	}
	return nil
}

// superseded is what it means that a checkpoint is not where an engine has left it.
func superseded(err error) error {
	if errors.Is(err, readstore.ErrNotOne) {
		return ErrSuperseded
	}
	return err
}

// furthest place of any projection.
func (e *Engine) furthest() eventstore.Position {
	var position eventstore.Position
	for _, r := range e.runners {
		position = max(position, r.position)
	}
	return position
}
