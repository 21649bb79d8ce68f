package sqlitedb

import (
	"context"
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
	return err
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
