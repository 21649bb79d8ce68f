package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/migrations"
)

// Table implements readstore.Beside.
func (b *beside) Table(name string) string { return quoted(b.schema, name) }

// Swaps give way to readers: one that waits longer than this for a lock, or for all of them, is undone and tried again. The
// whole is shorter than the server's deadlock_timeout (1 s by default), so that no reader is ever ended for its sake.
const (
	swapPatience = "SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '700ms'"
	swapLocked   = "SET LOCAL statement_timeout TO DEFAULT"
	swapPause    = 50 * time.Millisecond
	// swapFor bounds the attempts: who swaps keeps others from writing the live tables meanwhile, by leases that expire.
	swapFor = 1500 * time.Millisecond
)

// Swap implements readstore.Beside. Other writers of this process have their turns between the attempts.
func (b *beside) Swap(ctx context.Context, tables []string, fn func(readstore.Tx, func() error) error) error {
	for began := time.Now(); ; {
		err := b.live.Write(ctx, func(t readstore.Tx) error {
			return fn(t, func() error { return b.adopt(t.(*tx), tables) })
		})
		if err == nil || !errors.Is(err, readstore.ErrInUse) || time.Since(began) > swapFor {
			return err
		}
		select {
		case <-time.After(swapPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// adopt moves the live tables out of the way and the fresh ones in, makes the views anew, which are bound to tables and
// not to their names, and drops what is retired.
func (b *beside) adopt(t *tx, tables []string) error {
	views, err := b.views(t.ctx)
	if err != nil {
		return err
	}
	scripts, err := migrations.Joined(migrations.PostgresScripts())
	if err != nil {
		return err
	}
	var locked, moved, dropped []string
	for _, v := range views {
		locked = append(locked, quoted(b.live.schema, v))
	}
	for _, table := range tables {
		locked = append(locked, quoted(b.live.schema, table))
		moved = append(moved,
			fmt.Sprintf("ALTER TABLE %s SET SCHEMA %s", quoted(b.live.schema, table), quoted(b.live.schema+retiredSuffix)),
			fmt.Sprintf("ALTER TABLE %s SET SCHEMA %s", quoted(b.schema, table), quoted(b.live.schema)))
		dropped = append(dropped, "DROP TABLE "+quoted(b.live.schema+retiredSuffix, table))
	}
	steps := []string{
		swapPatience,
		fmt.Sprintf("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", strings.Join(append([]string{quoted(b.live.schema, "swap_gate")}, locked...), ", ")),
		swapLocked, strings.Join(moved, "; "), scripts, strings.Join(dropped, "; "),
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, step := range steps {
		if err := t.writer.conn.Exec(t.ctx, step).Close(); err != nil {
			if err = failure(err); errors.Is(err, readstore.ErrUnavailable) && !t.writer.conn.IsClosed() {
				err = fmt.Errorf("%w: %w", readstore.ErrInUse, err)
			}
			return fmt.Errorf("swap tables: %w", err)
		}
	}
	return nil
}

// views of the live schema.
func (b *beside) views(ctx context.Context) ([]string, error) {
	rows, err := b.live.read.Query(ctx, "SELECT viewname::text FROM pg_views WHERE schemaname = $1 ORDER BY viewname", b.live.schema)
	if err != nil {
		return nil, failure(err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
