package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// Close implements readstore.DB. The file goes when no rebuild is left in it.
func (b *beside) Close() error {
	rows, err := b.Query(context.Background(), "SELECT count(*) FROM checkpoint")
	left, err := readstore.Collect(rows, err, func(rows readstore.Rows) (n int, err error) { return n, rows.Scan(&n) })
	err = errors.Join(err, b.DB.Close())
	if err != nil || left[0] > 0 {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-migrating"} {
		if removeErr := os.Remove(b.path + suffix); !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
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
// writer of the live tables waits for it.
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
	if b.live.closed {
		return readstore.ErrClosed
	}
	if err := b.live.conn.Exec("ATTACH DATABASE '" + strings.ReplaceAll(b.path, "'", "''") + "' AS " + attached); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	defer func() { err = errors.Join(err, b.live.conn.Exec("DETACH DATABASE "+attached)) }()
	return b.live.write(ctx, func(t readstore.Tx) error {
		return fn(t, func() error {
			for _, table := range tables {
				copied := fmt.Sprintf("DELETE FROM main.%[1]s; INSERT INTO main.%[1]s (%[2]s) SELECT %[2]s FROM %[3]s", table, columns[table], b.Table(table))
				if err := b.live.conn.Exec(copied); err != nil { // not kept: the other file goes away
					return fmt.Errorf("replace %s: %w", table, err)
				}
			}
			return nil
		})
	})
}
