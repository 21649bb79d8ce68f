package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/migrations"
)

// takeTurn waits for the other processes that migrate the schema; the lock ends with the connection at the latest.
const takeTurn = `SELECT pg_advisory_lock(hashtextextended('chatwatch migrates ' || current_schema(), 0))`

// scriptLockTimeout bounds how long readers of a view can be held up by a script that waits for others of them.
const scriptLockTimeout = "SET LOCAL lock_timeout = '500ms'; "

// Migrate implements readstore.DB: the numbered migrations, and then the scripts of views, functions and grants when they
// are not the ones that were run last.
func (db *DB) Migrate(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, db.config.ConnConfig)
	if err != nil {
		return fmt.Errorf("migrate read database: %w", failure(err))
	}
	defer hangUp(conn)
	if _, err := conn.Exec(ctx, takeTurn); err != nil {
		return fmt.Errorf("migrate read database: wait for another process: %w", failure(err))
	}
	if err := db.migrate(ctx); err != nil {
		return fmt.Errorf("migrate read database: %w", err)
	}
	if err := db.runScripts(ctx, conn); err != nil {
		return fmt.Errorf("make the views of the read database: %w", err)
	}
	return nil
}

func (db *DB) migrate(ctx context.Context) (err error) {
	config := db.config.ConnConfig.Copy()
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { // what is left for an administrator to do
		db.Logger.WarnContext(ctx, "read database says", "notice", n.Message)
	}
	pool := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, pool.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, migrations.Postgres(), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, r := range results {
		db.Logger.InfoContext(ctx, "read database migrated", "version", r.Source.Version, "took", r.Duration)
	}
	return failure(err)
}

// runScripts runs the scripts unless these very ones were run last with the same roles in the cluster.
func (db *DB) runScripts(ctx context.Context, conn *pgx.Conn) error {
	scripts, err := migrations.Joined(migrations.PostgresScripts())
	if err != nil {
		return err
	}
	const roles = `SELECT coalesce(string_agg(rolname, ' ' ORDER BY rolname), '') FROM pg_roles WHERE rolname IN ('chatwatch_bi', 'chatwatch_auditor')`
	var granted string
	if err := conn.QueryRow(ctx, roles).Scan(&granted); err != nil {
		return failure(err)
	}
	digest := migrations.Digest(scripts) + " " + granted
	var last string
	err = conn.QueryRow(ctx, "SELECT digest FROM script_run WHERE name = 'views'").Scan(&last)
	if err == nil && last == digest {
		return nil
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return failure(err)
	}
	for {
		err := failure(runAll(ctx, conn.PgConn(), scripts))
		if err == nil {
			break
		}
		if !errors.Is(err, readstore.ErrUnavailable) || conn.IsClosed() || ctx.Err() != nil {
			return err
		}
		db.Logger.InfoContext(ctx, "views are in use, trying again")
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
		}
	}
	_, err = conn.Exec(ctx, `INSERT INTO script_run (name, digest) VALUES ('views', $1)
		ON CONFLICT (name) DO UPDATE SET digest = excluded.digest`, digest)
	return failure(err)
}

func runAll(ctx context.Context, conn *pgconn.PgConn, scripts string) error {
	err := conn.Exec(ctx, "BEGIN; "+scriptLockTimeout+scripts+"; COMMIT").Close()
	if err != nil {
		err = errors.Join(err, conn.Exec(ctx, "ROLLBACK").Close())
	}
	return err
}
