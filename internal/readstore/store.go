package readstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const (
	busyMillis = 5000
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

// DB is a read database: one writer, several readers that never wait for it.
type DB struct {
	path   string
	logger *slog.Logger
	read   *sql.DB

	stmts sync.Map // SQL text → *sql.Stmt of read

	mu       sync.Mutex // guards the writer
	conn     *sqlite.Conn
	prepared map[string]*sqlite.Stmt
	shrink   *sqlite.Checkpointer
	closed   bool
}

// ErrClosed is the answer of a write to a database that has been closed.
var ErrClosed = errors.New("readstore: closed")

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
	if err := db.conn.Exec(writerPragma); err != nil {
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

// Query reads. The statement is prepared once and kept, so its text must be one of few: parameters go in args. A time is
// passed with At and read into a Time.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := db.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (db *DB) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare query: %w", err)
	}
	if kept, loaded := db.stmts.LoadOrStore(query, s); loaded {
		_ = s.Close()
		return kept.(*sql.Stmt), nil
	}
	return s, nil
}

// View is a moment of the database: all that is read through it was true at the same time.
type View struct {
	db *DB
	tx *sql.Tx
}

// View calls fn with a moment of the database, which ends with fn.
func (db *DB) View(ctx context.Context, fn func(View) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return fn(View{db, tx})
}

// Query is DB.Query at that moment.
func (v View) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := v.db.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return v.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}

// Queryer is what both a DB and a View can do.
type Queryer interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Collect reads all rows of a query, each by scan.
func Collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Close waits for the write under way, ends the readers and frees the file. It may be called more than once.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	var err error
	if db.read != nil {
		err = db.read.Close()
	}
	return errors.Join(err, db.shrink.Close(), db.conn.Close())
}
