package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// ErrSuperseded says that another process has the lease of a projection. Nothing of the last batch has been stored.
var ErrSuperseded = errors.New("projections: another process has taken over")

// ErrNewer is the trouble of an engine whose rows were built by a newer version of the program: it leaves them alone, so that
// a node that has not been upgraded yet does not undo what the others do. Rebuild takes them back to its own version.
var ErrNewer = errors.New("projections: the read models were built by a newer version of the program")

// checkpointRow is the row of a projection: its place in the log, and the lease of who may move it.
type checkpointRow struct {
	name     string
	position eventstore.Position
	epoch    int64
	holder   string
	live     bool // the lease has not expired, by the database's clock
	version  int64
	events   int64
	eventAt  time.Time
	lag      Lag
	updated  time.Time
}

// statements about checkpoints, in the SQL of a database. Whoever takes the next epoch fences who had the one before: every
// transaction of rows begins by moving the checkpoint from the place and in the epoch that the engine knows, or not at all.
type statements struct{ read, create, take, renew, move, release, adopt string }

func statementsOf(d readstore.Dialect) statements {
	return statements{
		read: `SELECT name, position, epoch, coalesce(holder, ''), coalesce(expires_at > ` + d.Now() + `, false), version, events, event_at,
			lag_events, lag_ms, updated_at FROM checkpoint WHERE name IN ?`,
		create: `INSERT INTO checkpoint (name, position, epoch, version, events, lag_events, lag_ms, updated_at)
			VALUES (?, 0, 0, ?, 0, 0, 0, ?) ON CONFLICT (name) DO NOTHING`,
		take: `UPDATE checkpoint SET epoch = epoch + 1, holder = ?, expires_at = ` + d.In() + `, updated_at = ?,
			version = CASE WHEN position = 0 THEN ? ELSE version END
			WHERE name = ? AND (? OR expires_at IS NULL OR expires_at <= ` + d.Now() + ` OR holder = ?)`,
		renew: `UPDATE checkpoint SET expires_at = ` + d.In() + `, lag_events = ?, lag_ms = ?, updated_at = ?
			WHERE name = ? AND epoch = ? AND position >= ?`,
		move: `UPDATE checkpoint SET position = ?, events = events + ?, event_at = coalesce(?, event_at), expires_at = ` + d.In() + `,
			updated_at = ? WHERE name = ? AND epoch = ? AND position = ?`,
		release: `UPDATE checkpoint SET holder = NULL, expires_at = NULL WHERE name = ? AND epoch = ?`,
		adopt: `UPDATE checkpoint SET position = ?, version = ?, events = ?, event_at = ?, epoch = epoch + 1, holder = NULL,
			expires_at = NULL, updated_at = ? WHERE name = ? AND epoch = ?`,
	}
}

// moveAll is the statement that moves the checkpoints of projections that stand at the same place: position, event_at, lease,
// updated_at, events of each, position before, epoch of each.
func moveAll(d readstore.Dialect, group []Projection) string {
	var events, rows []string
	for _, p := range group {
		name := "'" + strings.ReplaceAll(p.Name(), "'", "''") + "'"
		events = append(events, "WHEN "+name+" THEN CAST(? AS bigint)")
		rows = append(rows, "name = "+name+" AND epoch = ?")
	}
	return "UPDATE checkpoint SET position = ?, event_at = coalesce(?, event_at), expires_at = " + d.In() + ", updated_at = ?, " +
		"events = events + CASE name " + strings.Join(events, " ") + " END WHERE position = ? AND (" + strings.Join(rows, " OR ") + ")"
}

// checkpoints reads the rows of projections by name.
func checkpoints(ctx context.Context, db readstore.DB, names []string) (map[string]checkpointRow, error) {
	out := make(map[string]checkpointRow, len(names))
	rows, err := db.Query(ctx, statementsOf(db.Dialect()).read, readstore.Of(names))
	_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
		var c checkpointRow
		var eventAt, updated readstore.Time
		err := rows.Scan(&c.name, &c.position, &c.epoch, &c.holder, &c.live, &c.version, &c.events, &eventAt, &c.lag.Events,
			&c.lag.MS, &updated)
		c.eventAt, c.updated = eventAt.Time, updated.Time
		out[c.name] = c
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	return out, nil
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

// Times of a lease. Who has it renews it every third of its life; who stands by looks twice as often as it can expire, so
// that a projection whose process has died is taken over within leaseLife + standbyPoll.
const (
	leaseLife    = 3 * time.Second
	leaseRenewal = time.Second
	standbyPoll  = 500 * time.Millisecond
)

// acquire tries to get the leases of all projections of the engine, in one transaction: all of them, or none.
func (e *Engine) acquire(ctx context.Context, byForce bool) (bool, error) {
	if err := e.createCheckpoints(ctx); err != nil {
		return false, err
	}
	rows, err := checkpoints(ctx, e.db, e.names())
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if !byForce && row.live && row.holder != e.holder {
			return false, nil
		}
	}
	if newer := e.newer(rows); newer != "" && !e.anyVersion {
		err := fmt.Errorf("%w: %s", ErrNewer, newer)
		e.refusal.Store(&err)
		return false, nil
	}
	e.refusal.Store(nil)
	for _, row := range rows {
		// Whoever has not renewed it is gone, or stopped with a transaction open that would hold this one up.
		if holder := processOf(row.holder); !row.live && holder != processOf(e.holder) {
			if err := e.db.Fence(ctx, holder); err != nil {
				return false, fmt.Errorf("fence %s: %w", holder, err)
			}
		}
	}
	now := readstore.At(e.opts.Clock())
	err = e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			err := tx.One(e.sql.take, e.holder, leaseLife.Milliseconds(), now, r.version(), r.Name(), byForce, e.holder)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, readstore.ErrNotOne) {
		return false, nil // somebody was faster
	}
	if err != nil {
		return false, fmt.Errorf("take the checkpoints: %w", err)
	}
	return true, e.recall(ctx, true)
}

// newer names a projection that a newer version of the code has built, "" when there is none.
func (e *Engine) newer(rows map[string]checkpointRow) string {
	for _, r := range e.runners {
		if row := rows[r.Name()]; row.version > r.version() && row.position > eventstore.Start {
			return r.Name()
		}
	}
	return ""
}

func (e *Engine) createCheckpoints(ctx context.Context) error {
	rows, err := checkpoints(ctx, e.db, e.names())
	if err != nil || len(rows) == len(e.runners) {
		return err
	}
	return e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			if _, err := tx.Exec(e.sql.create, r.Name(), r.version(), readstore.At(e.opts.Clock())); err != nil {
				return fmt.Errorf("create checkpoints: %w", err)
			}
		}
		return nil
	})
}

// processOf is the name of a holder's process, by which the database knows it.
func processOf(holder string) string {
	process, _, _ := strings.Cut(holder, "#")
	return process
}

// recall forgets everything and reads where the projections stand. Unless the leases have just been taken, they must still
// be the engine's.
func (e *Engine) recall(ctx context.Context, taken bool) error {
	e.forget()
	rows, err := checkpoints(ctx, e.db, e.names())
	if err != nil {
		return err
	}
	if taken {
		e.stale = e.stale[:0]
	}
	for _, r := range e.runners {
		row, ok := rows[r.Name()]
		if !ok || row.holder != e.holder || !taken && row.epoch != r.epoch {
			return fmt.Errorf("%w: %s", ErrSuperseded, r.Name())
		}
		r.position, r.folded = row.position, row.position
		if taken { // what follows is read by others meanwhile
			r.epoch = row.epoch
			if row.version != r.version() {
				e.stale = append(e.stale, r.Name())
			}
		}
		if r.parked, err = parkedStreams(ctx, e.db, r.Name()); err != nil {
			return fmt.Errorf("read parked events of %s: %w", r.Name(), err)
		}
	}
	e.reached()
	return nil
}

// renew keeps the leases while nothing is to be stored, and tells the lag to other processes. A server that was stopped at once
// may have lost what it had committed, also of the checkpoints: who finds one behind has the lease no more, and begins again from
// there.
func (e *Engine) renew(ctx context.Context) error {
	known := e.Position()
	lag := e.tellableLag(ctx)
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			err := tx.One(e.sql.renew, leaseLife.Milliseconds(), lag.Events, lag.MS, readstore.At(e.opts.Clock()), r.Name(), r.epoch, int64(known))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, readstore.ErrNotOne) {
		return ErrSuperseded
	}
	return err
}

// release gives the leases back, so that another need not wait for them to expire.
func (e *Engine) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseLife)
	defer cancel()
	_ = e.db.Write(ctx, func(tx readstore.Tx) error { // otherwise they expire
		for _, r := range e.runners {
			if _, err := tx.Exec(e.sql.release, r.Name(), r.epoch); err != nil {
				return err
			}
		}
		return nil
	})
}
