package projectiontest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgres"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
	"github.com/chatwatch/chatwatch/projections"
)

// Databases are the kinds of read databases, each with what gives an empty, migrated one that is closed with the test. The
// schema of PostgreSQL is one of its own.
func Databases() map[string]func(t testing.TB) readstore.DB {
	return map[string]func(t testing.TB) readstore.DB{
		"SQLite":     func(t testing.TB) readstore.DB { return Open(t) },
		"PostgreSQL": func(t testing.TB) readstore.DB { return OpenPostgres(t, postgrestest.Database(t)) },
	}
}

// ReusePostgres opens an empty, migrated database that a test before may have had. Its tables must not be swapped.
func ReusePostgres(t testing.TB) readstore.DB {
	t.Helper()
	return OpenPostgres(t, postgrestest.Reused(t, func(url string) error {
		db, err := postgres.Open(context.Background(), url, postgres.Options{Name: "test " + uuid.NewString()})
		if err != nil {
			return err
		}
		return errors.Join(db.Migrate(context.Background()), db.Close())
	}))
}

// OpenPostgres opens a database on a server, migrated, as a process of its own would.
func OpenPostgres(t testing.TB, url string) readstore.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), url, postgres.Options{Name: "test " + uuid.NewString()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Open gives an empty, migrated database that is closed with the test.
func Open(t testing.TB) readstore.DB {
	t.Helper()
	db, err := sqlitedb.Open(context.Background(), filepath.Join(t.TempDir(), "read.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Copies gives an empty, migrated database each time it is called, without migrating again. The caller closes it.
func Copies(t testing.TB) func() readstore.DB {
	t.Helper()
	first := filepath.Join(t.TempDir(), "first.db")
	db, err := sqlitedb.Open(context.Background(), first, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(context.Background()), db.Close()); err != nil {
		t.Fatal(err)
	}
	empty, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	return func() readstore.DB {
		path := filepath.Join(t.TempDir(), "read.db")
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sqlitedb.Open(context.Background(), path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
}

// Engine makes an engine over a log.
func Engine(t testing.TB, db readstore.DB, log projections.Log, group ...projections.Projection) *projections.Engine {
	t.Helper()
	e, err := projections.NewEngine(db, log, group, projections.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Apply runs the projections until they have all of the log.
func Apply(t testing.TB, db readstore.DB, log projections.Log, group ...projections.Projection) {
	t.Helper()
	e := Engine(t, db, log, group...)
	head, err := log.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	RunTo(t, e, head)
}

// RunTo runs an engine until everything up to a position is stored.
func RunTo(t testing.TB, e *projections.Engine, position eventstore.Position) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	go func() {
		if e.WaitFor(ctx, position) == nil {
			cancel()
		}
	}()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// Dump gives the rows of the tables of projections, by table.
func Dump(t testing.TB, db readstore.DB, group ...projections.Projection) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, p := range group {
		for _, table := range append(p.Tables(), "parked_event") {
			rows, err := readstore.Dump(context.Background(), db, table)
			if err != nil {
				t.Fatal(err)
			}
			out[table] = rows
		}
	}
	return out
}

// Equal compares two dumps.
func Equal(t testing.TB, want, got map[string][]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the tables differ (-want +got):\n%s", diff)
	}
}
