package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/migrations"
)

// Table implements readstore.Beside.
func (b *beside) Table(name string) string { return quoted(b.schema, name) }

// Swaps give way to readers: one that waits longer than this for a lock, or for all of them, is undone and tried again. The
// whole is shorter than the server's deadlock_timeout (1 s by default), so that no reader is ever ended for its sake.
const (
	swapPatience = "SET LOCAL lock_timeout = '300ms'; SET LOCAL statement_timeout = '700ms'"
	swapLocked   = "SET LOCAL statement_timeout TO DEFAULT; SET LOCAL synchronous_commit = on"
	swapPause    = 50 * time.Millisecond
	// swapFor bounds the attempts: who swaps keeps others from writing the live tables meanwhile, by leases that expire.
	swapFor = 1500 * time.Millisecond
	// retiredFor is how long the old tables stay after a swap: a query has read the body of a function before it locks the
	// tables in there, and only those. dropFor bounds the attempts to drop them then.
	retiredFor = 250 * time.Millisecond
	dropFor    = 10 * time.Second
)

// Swap implements readstore.Beside. Other writers of this process have their turns between the attempts.
func (b *beside) Swap(ctx context.Context, tables []string, fn func(readstore.Tx, func() error) error) error {
	err := patiently(ctx, swapFor, func() error {
		return b.live.Write(ctx, func(t readstore.Tx) error {
			return fn(t, func() error { return b.adopt(t.(*tx), tables) })
		})
	})
	if err != nil {
		return err
	}
	if err := b.dropRetired(ctx, tables); err != nil { // the next swap does it
		b.Logger.WarnContext(ctx, "tables that a rebuild has replaced are still there", "error", err)
	}
	return nil
}

// patiently calls do again for a while, as long as it fails because of readers.
func patiently(ctx context.Context, atMost time.Duration, do func() error) error {
	for began := time.Now(); ; {
		err := do()
		if err == nil || !errors.Is(err, readstore.ErrInUse) || time.Since(began) > atMost {
			return err
		}
		select {
		case <-time.After(swapPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *beside) dropRetired(ctx context.Context, tables []string) error {
	select {
	case <-time.After(retiredFor):
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := b.live.inTurn(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	return patiently(ctx, dropFor, func() error {
		err := failure(runAll(ctx, conn.PgConn(), "DROP TABLE IF EXISTS "+b.retired(tables)))
		return whenLocked(err, conn.IsClosed())
	})
}

// retired are the names of the old tables.
func (b *beside) retired(tables []string) string {
	names := make([]string, len(tables))
	for i, table := range tables {
		names[i] = quoted(b.live.schema+retiredSuffix, table)
	}
	return strings.Join(names, ", ")
}

// whenLocked marks a failure that has left the connection open as one that readers are the cause of.
func whenLocked(err error, closed bool) error {
	if errors.Is(err, readstore.ErrUnavailable) && !closed {
		return fmt.Errorf("%w: %w", readstore.ErrInUse, err)
	}
	return err
}

// adopt moves the live tables out of the way and the fresh ones in, and makes the views anew, which are bound to tables and
// not to their names. It fails when anything else is bound to the old tables, so that they could not be dropped.
func (b *beside) adopt(t *tx, tables []string) error {
	scripts, err := migrations.Joined(migrations.PostgresScripts())
	if err != nil {
		return err
	}
	grants, err := b.grants(t.ctx, tables)
	if err != nil {
		return err
	}
	views, _ := made(scripts)
	var locked, moved []string
	for _, v := range views {
		locked = append(locked, quoted(b.live.schema, v))
	}
	for _, table := range tables {
		locked = append(locked, quoted(b.live.schema, table))
		moved = append(moved,
			fmt.Sprintf("ALTER TABLE %s SET SCHEMA %s", quoted(b.live.schema, table), quoted(b.live.schema+retiredSuffix)),
			fmt.Sprintf("ALTER TABLE %s SET SCHEMA %s", quoted(b.schema, table), quoted(b.live.schema)))
	}
	steps := []string{
		swapPatience,
		fmt.Sprintf("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", strings.Join(append([]string{quoted(b.live.schema, "swap_gate")}, locked...), ", ")),
		swapLocked, "DROP TABLE IF EXISTS " + b.retired(tables), strings.Join(moved, "; "), scripts, strings.Join(grants, "; "),
		"SAVEPOINT retired; DROP TABLE " + b.retired(tables) + "; ROLLBACK TO retired",
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, step := range steps {
		if err := t.writer.conn.Exec(t.ctx, step).Close(); err != nil {
			return fmt.Errorf("swap tables: %w", t.swapFailure(err))
		}
	}
	return nil
}

// dependentObjects is the code of an object that cannot be dropped because of others.
const dependentObjects = "2BP01"

// swapFailure translates what a swap meets, and tells of readers in the way and of views that are not of the product.
func (t *tx) swapFailure(err error) error {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == dependentObjects {
		return fmt.Errorf("drop what others have made of the tables, and make it again afterwards: %s", server.Detail)
	}
	return whenLocked(failure(err), t.writer.conn.IsClosed())
}

// grants are the statements that give others what they may do with the live tables and their columns: an administrator may
// have given more than the scripts do.
func (b *beside) grants(ctx context.Context, tables []string) ([]string, error) {
	names := make([]string, len(tables))
	for i, table := range tables {
		names[i] = quoted(b.live.schema, table)
	}
	rows, err := b.live.read.Query(ctx, `
		WITH given AS (
			SELECT t.name, '' AS of, c.relowner, (aclexplode(c.relacl)).* FROM unnest($1::text[]) AS t (name)
			JOIN pg_class AS c ON c.oid = to_regclass(t.name)
			UNION ALL
			SELECT t.name, format(' (%I)', a.attname), c.relowner, (aclexplode(a.attacl)).* FROM unnest($1::text[]) AS t (name)
			JOIN pg_class AS c ON c.oid = to_regclass(t.name) JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped)
		SELECT format('GRANT %s%s ON %s TO %s%s', privilege_type, of, name,
			CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
			CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
		FROM given WHERE grantee <> relowner`, names)
	if err != nil {
		return nil, failure(err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
