package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Options of a DB.
type Options struct {
	Logger *slog.Logger
	// Name tells this process from others in pg_stat_activity; at most 63 bytes, and unique.
	Name string
	// Wait is how long Open tries to reach the server; it tries once when 0.
	Wait time.Duration
}

// Bounds of connections.
const (
	connectTimeout = 5 * time.Second
	writeTimeout   = time.Minute // of a transaction, with the waiting for one's turn
	readers        = 16          // unless the address says pool_max_conns
	retryEvery     = 250 * time.Millisecond
	// idleInTransaction ends what a process that was stopped in the middle of a transaction holds. Between its statements the
	// writer never thinks.
	idleInTransaction = "5s"
)

// DB is a read database on a PostgreSQL server. It implements readstore.DB.
type DB struct {
	Options
	config *pgxpool.Config
	schema string // the live one
	read   *pgxpool.Pool
	texts  sync.Map // query with ? → query with $n

	turn   chan struct{} // one slot: whoever fills it has the rest
	writer *writer
	closed atomic.Bool
}

var _ readstore.DB = (*DB)(nil)

// maxSchema is how long the name of the live schema can be: the server cuts longer names than 63 bytes, and that of a rebuild's
// schema would be the same.
const maxSchema = 63 - len(retiredSuffix)

// Open connects to a server by URL or key=value pairs, as libpq has them. It does not migrate. The schema is the first of the
// search_path that exists, which has to be there.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read database: %w", withoutAddress(err))
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = readers
	}
	db, err := open(ctx, config, o)
	if err == nil && len(db.schema) > maxSchema {
		return nil, errors.Join(fmt.Errorf("read database: the name of the schema is longer than %d bytes", maxSchema), db.Close())
	}
	return db, err
}

func open(ctx context.Context, config *pgxpool.Config, o Options) (*DB, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	parameters := config.ConnConfig.RuntimeParams
	parameters["timezone"] = "UTC"
	db := &DB{Options: o, config: config, turn: make(chan struct{}, 1)}
	reading := config.Copy()
	reading.ConnConfig.RuntimeParams["application_name"] = "chatwatch"
	reading.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	// Reads are short and many, and what they read has been written lately: starting workers or compiling for one of them
	// costs more than it saves, and so does reading a whole table to spare looking up rows.
	reading.ConnConfig.RuntimeParams["random_page_cost"] = "1.1"
	reading.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	reading.ConnConfig.RuntimeParams["jit"] = "off"
	var err error
	if db.read, err = pgxpool.NewWithConfig(ctx, reading); err != nil {
		return nil, fmt.Errorf("read database: %w", withoutAddress(err))
	}
	if err := db.reach(ctx); err != nil {
		db.read.Close()
		return nil, err
	}
	return db, nil
}

// reach waits for the server, and asks which schema is meant and whether it can hold what people write.
func (db *DB) reach(ctx context.Context) error {
	deadline := time.Now().Add(db.Wait)
	for {
		var schema *string
		var encoding string
		err := db.read.QueryRow(ctx, "SELECT current_schema(), current_setting('server_encoding')").Scan(&schema, &encoding)
		switch {
		case err == nil && schema == nil:
			return errors.New("read database: no schema of the search_path exists")
		case err == nil && encoding != "UTF8": // what it cannot write, it would refuse, or show to others as something else
			return fmt.Errorf("read database: its encoding is %s, and has to be UTF8", encoding)
		case err == nil:
			db.schema = *schema
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(failure(err), readstore.ErrUnavailable) || time.Now().After(deadline):
			return fmt.Errorf("read database: %w", withoutAddress(failure(err)))
		}
		db.Logger.InfoContext(ctx, "waiting for the read database")
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
		}
	}
}

// Dialect implements readstore.DB.
func (db *DB) Dialect() readstore.Dialect { return readstore.PostgreSQL }

// Columns implements readstore.DB.
func (db *DB) Columns(ctx context.Context, table string) ([]string, error) {
	rows, err := db.Query(ctx, `SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0
		AND NOT attisdropped ORDER BY attnum`, table)
	return readstore.Collect(rows, err, func(rows readstore.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	})
}

// Close implements readstore.DB.
func (db *DB) Close() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	if db.closed.Swap(true) {
		return nil
	}
	db.read.Close()
	db.disconnect()
	return nil
}

// Fence implements readstore.DB. What the server itself is busy with is let be, such as a large commit of a process that is well
// and slow: it may be about to end, and whoever waits for its rows would be as slow.
func (db *DB) Fence(ctx context.Context, name string) error {
	if name == "" || name == db.Name {
		return nil
	}
	_, err := db.read.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()
		AND (starts_with(state, 'idle in transaction') OR state = 'active' AND wait_event_type = 'Client')`, name)
	return failure(err)
}

// hangUp closes a connection without waiting long for a server that does not answer.
func hangUp(conn interface {
	Close(ctx context.Context) error
}) {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}

// quoted makes an identifier of a name.
func quoted(names ...string) string { return pgx.Identifier(names).Sanitize() }

// Holder implements readstore.DB.
func (db *DB) Holder() string { return db.Name }
