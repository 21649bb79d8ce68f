package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// besideSuffix makes the name of the file in which a rebuild is prepared.
const besideSuffix = "-rebuild"

// beside is a second file with all tables; those of a rebuild are filled.
type beside struct {
	*DB
	live *DB
}

// Beside implements readstore.DB.
func (db *DB) Beside(ctx context.Context, _ []string) (readstore.Beside, error) {
	second, err := Open(ctx, db.path+besideSuffix, db.logger)
	if err != nil {
		return nil, err
	}
	if err := second.Migrate(ctx); err != nil {
		return nil, errors.Join(err, second.Close())
	}
	return &beside{second, db}, nil
}

// Ready implements readstore.Beside: the file has all that the live one has.
func (b *beside) Ready(context.Context, []string) error { return nil }

// Complete implements readstore.Beside: the file has all that the live one has.
func (b *beside) Complete(context.Context, []string) error { return nil }

// Empty implements readstore.Beside.
func (b *beside) Empty(ctx context.Context, tables []string) error {
	return b.Write(ctx, func(tx readstore.Tx) error {
		for _, table := range tables {
			if _, err := tx.Exec("DELETE FROM " + table); err != nil {
				return fmt.Errorf("empty %s: %w", table, err)
			}
		}
		return nil
	})
}

// attached is the name of the set in the transaction of a swap.
const attached = "beside"

// Table implements readstore.Beside.
func (b *beside) Table(name string) string { return attached + "." + name }

// Swap implements readstore.Beside. The rows are copied in the transaction: readers go on with what was before it, and the
// writer of the live tables waits for it. A crash may commit the one file and not the other: then the set is still there and can
// be swapped once more, or it is gone and built anew.
func (b *beside) Swap(ctx context.Context, tables []string, fn func(readstore.Tx, func() error) error) (err error) {
	columns := map[string]string{}
	for _, table := range tables {
		names, err := b.Columns(ctx, table)
		if err != nil {
			return err
		}
		columns[table] = strings.Join(names, ", ")
	}
	b.live.mu.Lock()
	defer b.live.mu.Unlock()
	if b.live.closed.Load() {
		return readstore.ErrClosed
	}
	if err := b.live.conn.Exec("ATTACH DATABASE '" + strings.ReplaceAll(b.path, "'", "''") + "' AS " + attached); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	defer func() {
		b.live.discard(attached + ".")
		err = errors.Join(err, b.live.conn.Exec("DETACH DATABASE "+attached))
		if err == nil {
			b.shrinkFile()
		}
	}()
	return b.live.write(ctx, func(t readstore.Tx) error {
		return fn(t, func() error {
			for _, table := range tables {
				copied := fmt.Sprintf("DELETE FROM main.%[1]s; INSERT INTO main.%[1]s (%[2]s) SELECT %[2]s FROM %[3]s; DELETE FROM %[3]s",
					table, columns[table], b.Table(table))
				if err := b.live.conn.Exec(copied); err != nil {
					return fmt.Errorf("replace %s: %w", table, err)
				}
			}
			return nil
		})
	})
}

// shrinkFile gives back the space of the rows that have been swapped in, unless somebody reads the file. It stays: another process
// may wait for the leases in it.
func (b *beside) shrinkFile() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.conn.Exec("VACUUM"); err != nil {
		b.logger.Warn("the file of a rebuild keeps its size", "error", err)
	}
}
