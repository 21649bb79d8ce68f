package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const (
	busyMillis      = 5000
	busyPauseMillis = 10
	// The write-ahead log is moved into the database file from softFrames pages on; shrinkMillis is how long the writer may
	// stand still for readers to leave it.
	softFrames   = 4 << 10
	hardFrames   = 64 << 10
	shrinkMillis = 20
	readers      = 8
	writerCache  = "PRAGMA cache_size=-65536" // KiB
	readerCache  = "cache_size(-8192)"
	writerPragma = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; " +
		"PRAGMA journal_size_limit=67108864; " + writerCache
)

// DB is a read database in a file. It implements readstore.DB.
type DB struct {
	path   string
	logger *slog.Logger
	read   *sql.DB

	stmts sync.Map // SQL text → *sql.Stmt of read

	mu       sync.Mutex // guards the writer
	conn     *sqlite.Conn
	prepared map[string]*sqlite.Stmt
	shrink   *sqlite.Checkpointer
	closed   atomic.Bool
}

var _ readstore.DB = (*DB)(nil)

// Open opens the read database in the file at path and makes the file when there is none. It does not migrate.
func Open(ctx context.Context, path string, logger *slog.Logger) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open read database: %w", err)
	}
	db := &DB{path: absolute, logger: logger, prepared: map[string]*sqlite.Stmt{}}
	if db.conn, err = sqlite.Open(absolute, sqlite.ReadWrite, busyMillis); err != nil {
		return nil, fmt.Errorf("open read database: %w", err)
	}
	err = db.conn.Exec(writerPragma)
	for n := 0; sqlite.Busy(err) && n < busyMillis/busyPauseMillis; n++ { // SQLite itself does not wait for the change to WAL
		time.Sleep(busyPauseMillis * time.Millisecond)
		err = db.conn.Exec(writerPragma)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open read database: %w", err), db.conn.Close())
	}
	if db.shrink, err = sqlite.NewCheckpointer(absolute, sqlite.CheckpointOptions{
		Soft: softFrames, Hard: hardFrames, WaitMillis: shrinkMillis, Logger: logger,
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("open read database: %w", err), db.conn.Close())
	}
	db.read, err = openPool(absolute, readers, "query_only(1)", readerCache, "temp_store(memory)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open read database: %w", err), db.Close())
	}
	return db, nil
}

func openPool(path string, size int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append(pragmas, fmt.Sprintf("busy_timeout(%d)", busyMillis))}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}

// Dialect implements readstore.DB.
func (db *DB) Dialect() readstore.Dialect { return readstore.SQLite }

// Close implements readstore.DB.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed.Swap(true) {
		return nil
	}
	var err error
	if db.read != nil {
		err = db.read.Close()
	}
	return errors.Join(err, db.shrink.Close(), db.conn.Close())
}

// Holder implements readstore.DB: one process has the file.
func (db *DB) Holder() string { return "this process" }

// Fence implements readstore.DB: there is nobody else.
func (db *DB) Fence(context.Context, string) error { return nil }
