package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/chatwatch/chatwatch/internal/sqlite"
	"github.com/chatwatch/chatwatch/migrations"
)

// turnMillis is how long a process waits for another that migrates.
const turnMillis = 30_000

// Migrate implements readstore.DB.
func (db *DB) Migrate(ctx context.Context) error {
	done, err := db.takeTurn()
	if err != nil {
		return fmt.Errorf("migrate read database: wait for another process: %w", err)
	}
	defer done()
	if err := db.migrate(ctx); err != nil {
		return fmt.Errorf("migrate read database: %w", err)
	}
	return nil
}

// makeViews runs the scripts of views unless these very ones were run last.
func makeViews(ctx context.Context, pool *sql.DB) (err error) {
	scripts, err := migrations.Joined(migrations.SQLiteScripts())
	if err != nil {
		return err
	}
	digest := migrations.Digest(scripts)
	var last string
	err = pool.QueryRowContext(ctx, "SELECT digest FROM script_run WHERE name = 'views'").Scan(&last)
	if err == nil && last == digest || err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, scripts)
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO script_run (name, digest) VALUES ('views', ?)", digest)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (db *DB) migrate(ctx context.Context) (err error) {
	pool, err := openPool(db.path, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, migrations.SQLite(), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, r := range results {
		db.logger.Info("read database migrated", "version", r.Source.Version, "took", r.Duration)
	}
	if err != nil {
		return err
	}
	return makeViews(ctx, pool)
}

// takeTurn locks a file beside the database, which ends with the process at the latest.
func (db *DB) takeTurn() (done func(), err error) {
	lock, err := sqlite.Open(db.path+"-migrating", sqlite.ReadWrite, turnMillis)
	if err != nil {
		return nil, err
	}
	if err := lock.Exec("BEGIN EXCLUSIVE"); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}
