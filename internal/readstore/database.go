package readstore

import (
	"context"
	"errors"
)

var (
	// ErrClosed is the answer of a database that has been closed.
	ErrClosed = errors.New("readstore: closed")
	// ErrUnavailable is the answer of a database that cannot be reached, or that has lost the connection on the way. A
	// transaction that ends with it may have been committed.
	ErrUnavailable = errors.New("readstore: the database cannot be reached")
	// ErrRefused is the answer of a database that does not accept a row for what it holds: trying again would not help.
	ErrRefused = errors.New("readstore: a row was refused")
	// ErrInUse is the answer to a swap of tables that readers have held for as long as it was tried.
	ErrInUse = errors.New("readstore: readers hold the tables")
	// ErrNotOne ends a transaction one of whose statements did not change the one row that it had to, or as many.
	ErrNotOne = errors.New("readstore: not the rows that had to change")
)

// DB is a read database: one writer a process, and readers that never wait for it.
type DB interface {
	Queryer
	// View calls fn with a moment of the database: all that is read through it was true at the same time.
	View(ctx context.Context, fn func(Queryer) error) error
	// Write calls fn in a transaction: all of it is stored, or none when fn fails. Writers of a process take turns.
	Write(ctx context.Context, fn func(Tx) error) error
	// Stage prepares rows to be written by one transaction. Where Detached says so, the rows may change afterwards;
	// otherwise they must stay as they are until the transaction has ended.
	Stage(sets ...Set) (Staged, error)
	Detached() bool
	// Migrate brings the schema up to date. Processes that do it at the same time take turns.
	Migrate(ctx context.Context) error
	// Beside opens a second, empty set of some tables, in which a rebuild is prepared while the live ones serve. Names mean
	// the tables of the set there; checkpoint and parked_event are always of it. What an interrupted rebuild left is still in
	// it. Closing it keeps it.
	Beside(ctx context.Context, tables []string) (Beside, error)
	// Columns of a table or view, in order; none when there is no such table.
	Columns(ctx context.Context, table string) ([]string, error)
	Dialect() Dialect
	// Holder tells this process from the others that use the database. Fence ends what another process, which is not to write
	// any more, may still be doing in it; it is only a help, for what fences is the epoch of a checkpoint.
	Holder() string
	Fence(ctx context.Context, holder string) error
	// Close waits for the write under way and frees everything. It may be called more than once.
	Close() error
}

// Beside is a set of tables that stands beside the live ones.
type Beside interface {
	DB
	// Ready adds what reading the tables of the set by anything but their primary keys needs.
	Ready(ctx context.Context, tables []string) error
	// Complete adds what else the live tables have and a rebuild can do without, such as most indexes.
	Complete(ctx context.Context, tables []string) error
	// Table is what a table of the set is called in the transaction of a Swap.
	Table(name string) string
	// Swap calls fn in a transaction of the live database; adopt, which fn calls, puts the tables of this set in the
	// place of the live ones in that transaction. Readers see the old tables or the new ones and no error. It gives up after
	// about two seconds in which they were in its way, with ErrInUse.
	Swap(ctx context.Context, tables []string, fn func(tx Tx, adopt func() error) error) error
	// Empty takes all rows out of some tables of the set.
	Empty(ctx context.Context, tables []string) error
}

// Queryer is what both a DB and a moment of it can do.
type Queryer interface {
	// Query reads. The text must be one of few, for it may be prepared and kept: values go in args, which are texts,
	// integers, booleans, nil, Time and List.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Rows are the answer to a query.
type Rows interface {
	Columns() ([]string, error)
	Next() bool
	// Scan reads the columns of a row; times into a Time.
	Scan(targets ...any) error
	Err() error
	Close() error
}

// Tx is a transaction of the writer. Its statements take effect in order.
type Tx interface {
	// Exec runs a statement and tells how many rows it changed.
	Exec(query string, args ...any) (int64, error)
	// Exactly runs a statement that has to change n rows, and One runs one that has to change one. Otherwise the transaction
	// fails with ErrNotOne, here or at the next call of something.
	Exactly(n int64, query string, args ...any) error
	One(query string, args ...any) error
	// Put writes staged rows. What is wrong with them may be told by a later call.
	Put(Staged) error
	// Flush returns when everything so far has been done.
	Flush() error
}

// Staged are rows ready to be written.
type Staged interface{ staged() }

// StagedRows is embedded by what an adapter stages.
type StagedRows struct{}

func (StagedRows) staged() {}

// Collect reads all rows of a query, each by scan.
func Collect[T any](rows Rows, err error, scan func(Rows) (T, error)) ([]T, error) {
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

// Refused tells whether the database refused a row for what it holds, so that trying again would not help.
func Refused(err error) bool { return errors.Is(err, ErrRefused) }
