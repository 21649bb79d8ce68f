package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Lease is the right of one process at a time to do something that has no projection, under a name of its own beside the
// checkpoints. What it protects has to bear that two do it for a moment: a process that was stopped and comes back learns that
// it has lost the lease only when it looks.
type Lease struct {
	db     readstore.DB
	name   string
	holder string
	sql    statements
	clock  func() time.Time
	log    *slog.Logger
}

// NewLease makes a lease of a name, which never changes.
func NewLease(db readstore.DB, name string, o Options) *Lease {
	o = o.or()
	return &Lease{db, name, db.Holder() + "#" + uuid.NewString()[:8], statementsOf(db.Dialect()), o.Clock, o.Logger}
}

// Run calls do whenever this process has the lease, until ctx ends or do fails. The context of do ends with the lease.
func (l *Lease) Run(ctx context.Context, do func(ctx context.Context) error) error {
	for {
		epoch, err := l.acquire(ctx)
		if err == nil && epoch > 0 {
			if err = l.hold(ctx, epoch, do); err != nil && !errors.Is(err, ErrSuperseded) {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, readstore.ErrClosed) {
			return err
		}
		if err != nil && !errors.Is(err, ErrSuperseded) {
			l.log.WarnContext(ctx, "a lease cannot be taken, trying again", "lease", l.name, "error", err)
		}
		pause(ctx, standbyPoll)
	}
}

// acquire gives the epoch of the lease, 0 when another process has it.
func (l *Lease) acquire(ctx context.Context) (int64, error) {
	now := readstore.At(l.clock())
	err := l.db.Write(ctx, func(tx readstore.Tx) error {
		if _, err := tx.Exec(l.sql.create, l.name, 1, now); err != nil {
			return err
		}
		return tx.One(l.sql.take, l.holder, leaseLife.Milliseconds(), now, 1, l.name, false, l.holder)
	})
	if errors.Is(err, readstore.ErrNotOne) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("take the lease: %w", err)
	}
	rows, err := checkpoints(ctx, l.db, []string{l.name})
	if err != nil || rows[l.name].holder != l.holder {
		return 0, err
	}
	return rows[l.name].epoch, nil
}

// hold calls do, and renews the lease meanwhile. A lease that could not be renewed for its life is lost.
func (l *Lease) hold(ctx context.Context, epoch int64, do func(ctx context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() { ended <- do(inner) }()
	defer cancel(nil)
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case err := <-ended:
			l.release(ctx, epoch)
			if cause := context.Cause(inner); errors.Is(cause, ErrSuperseded) {
				return cause
			}
			return err
		case <-tick.C:
		}
		before := time.Now()
		switch err := l.renew(inner, epoch); {
		case err == nil:
			renewed = before
		case errors.Is(err, readstore.ErrNotOne), time.Since(renewed) > leaseLife:
			cancel(ErrSuperseded)
		}
	}
}

func (l *Lease) renew(ctx context.Context, epoch int64) error {
	ctx, cancel := context.WithTimeout(ctx, leaseRenewal)
	defer cancel()
	return l.db.Write(ctx, func(tx readstore.Tx) error {
		return tx.One(l.sql.renew, leaseLife.Milliseconds(), 0, 0, readstore.At(l.clock()), l.name, epoch, 0)
	})
}

func (l *Lease) release(ctx context.Context, epoch int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRenewal)
	defer cancel()
	_ = l.db.Write(ctx, func(tx readstore.Tx) error { // otherwise it expires
		_, err := tx.Exec(l.sql.release, l.name, epoch)
		return err
	})
}
