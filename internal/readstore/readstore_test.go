package readstore_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

var (
	ctx   = context.Background()
	quiet = slog.New(slog.DiscardHandler)
	t0    = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)
)

type name string

type row struct {
	Key   int64     `db:"key,key"`
	Name  name      `db:"name"`
	Alias string    `db:"alias,null"`
	Count uint64    `db:"count"`
	Seq   uint64    `db:"seq,null"`
	Open  bool      `db:"open"`
	Wait  *int64    `db:"wait_ms"`
	At    time.Time `db:"at"`
	End   time.Time `db:"end_at,null"`
	Loose string    // not a column
}

const schema = `CREATE TABLE %s (key INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '', alias TEXT, count INTEGER NOT NULL, seq INTEGER,
	open INTEGER NOT NULL DEFAULT 0, wait_ms INTEGER, at INTEGER NOT NULL DEFAULT 0, end_at INTEGER) STRICT`

func open(t *testing.T) *readstore.DB {
	t.Helper()
	db, err := readstore.Open(ctx, filepath.Join(t.TempDir(), "a b?c#d.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	write(t, db, func(tx *readstore.Tx) error {
		_, err := tx.Exec(strings.Replace(schema, "%s", "thing", 1))
		return err
	})
	return db
}

func write(t *testing.T, db *readstore.DB, fn func(*readstore.Tx) error) {
	t.Helper()
	if err := db.Write(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, db *readstore.DB, table *readstore.Table[row]) []*row {
	t.Helper()
	rows, err := table.Select(ctx, db, "ORDER BY key")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestARowComesBackAsItWas(t *testing.T) {
	db, table := open(t), readstore.NewTable[row]("thing", readstore.State)
	zero, wait := int64(0), int64(1500)
	want := []*row{
		{Key: 1},
		{Key: 2, Name: "", Alias: "x", Count: 1 << 62, Seq: 9, Open: true, Wait: &zero, At: t0, End: t0.Add(time.Hour)},
		{Key: 3, Name: name(strings.Repeat("ä\x00\xff", 50_000)), Wait: &wait, At: t0.Add(-100 * 365 * 24 * time.Hour)},
	}
	write(t, db, func(tx *readstore.Tx) error { return table.Write(tx, want...) })
	if diff := cmp.Diff(want, all(t, db, table)); diff != "" {
		t.Error(diff)
	}
	rows, err := db.Dump(ctx, "thing")
	if err != nil || !strings.Contains(rows[0], "|alias=<nil>|count=0|seq=<nil>|open=0|wait_ms=<nil>|") {
		t.Errorf("the first row is stored as %.200s (%v)", rows[0], err)
	}
}

func TestRowsMeetTheirKeyAsTheirKindSays(t *testing.T) {
	db := open(t)
	state, counter := readstore.NewTable[row]("thing", readstore.State), readstore.NewTable[counted]("thing", readstore.Counter)
	line := readstore.NewTable[row]("thing", readstore.Append)
	write(t, db, func(tx *readstore.Tx) error { return line.Write(tx, &row{Key: 1, Name: "a", Count: 5}) })
	write(t, db, func(tx *readstore.Tx) error { return state.Write(tx, &row{Key: 1, Name: "b", Count: 7}) })
	write(t, db, func(tx *readstore.Tx) error {
		return counter.Write(tx, &counted{Key: 1, Count: 3}, &counted{Key: 1, Count: 4}, &counted{Key: 2, Count: 1})
	})
	got := all(t, db, state)
	if len(got) != 2 || got[0].Name != "b" || got[0].Count != 14 || got[1].Count != 1 {
		t.Errorf("%+v", got)
	}
	err := db.Write(ctx, func(tx *readstore.Tx) error { return line.Write(tx, &row{Key: 1, Name: "c"}) })
	if !readstore.Refused(err) || strings.Contains(err.Error(), "c'") {
		t.Errorf("a line written twice: %v", err)
	}
}

type counted struct {
	Key   int64 `db:"key,key"`
	Count int64 `db:"count"`
}

func TestAFailedWriteStoresNothing(t *testing.T) {
	db, table := open(t), readstore.NewTable[row]("thing", readstore.State)
	failed := errors.New("failed")
	err := db.Write(ctx, func(tx *readstore.Tx) error {
		if err := table.Write(tx, &row{Key: 1}); err != nil {
			return err
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Write(ctx, func(tx *readstore.Tx) error {
			_ = table.Write(tx, &row{Key: 2})
			panic("failed")
		})
	}()
	write(t, db, func(tx *readstore.Tx) error { return table.Write(tx, &row{Key: 3}) })
	if got := all(t, db, table); len(got) != 1 || got[0].Key != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAViewStaysAtItsMoment(t *testing.T) {
	db, table := open(t), readstore.NewTable[row]("thing", readstore.State)
	write(t, db, func(tx *readstore.Tx) error { return table.Write(tx, &row{Key: 1}) })
	err := db.View(ctx, func(v readstore.View) error {
		for range 2 {
			rows, err := table.Select(ctx, v, "")
			if err != nil || len(rows) != 1 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			write(t, db, func(tx *readstore.Tx) error { return table.Write(tx, &row{Key: 2}) }) // readers never hold it up
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyKeysAreReadInSteps(t *testing.T) {
	db, table := open(t), readstore.NewTable[row]("thing", readstore.State)
	var keys []int64
	write(t, db, func(tx *readstore.Tx) error {
		for i := range int64(1001) {
			keys = append(keys, i)
			if err := table.Write(tx, &row{Key: i, Open: i%2 == 0}); err != nil {
				return err
			}
		}
		return nil
	})
	for n, want := range map[int]int{0: 0, 1: 1, 3: 2, 300: 150, 1001: 501} {
		rows, err := readstore.SelectIn(ctx, db, table, "key", keys[:n], "AND open = 1")
		if err != nil || len(rows) != want {
			t.Errorf("%d keys: %d rows, want %d (%v)", n, len(rows), want, err)
		}
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "read.db")
	var group errgroup.Group
	for range 4 { // as processes that start together do
		group.Go(func() error {
			db, err := readstore.Open(ctx, path, quiet)
			if err != nil {
				return err
			}
			return errors.Join(db.Migrate(ctx), db.Migrate(ctx), db.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAClosedDatabaseSaysSo(t *testing.T) {
	db := open(t)
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, func(*readstore.Tx) error { return nil }); !errors.Is(err, readstore.ErrClosed) {
		t.Errorf("a write: %v", err)
	}
	if _, err := db.Query(ctx, "SELECT 1"); err == nil {
		t.Error("a query succeeds")
	}
}

func TestARowTypeThatCannotBeWrittenIsTold(t *testing.T) {
	type odd struct {
		Key   int64    `db:"key,key"`
		Float float32  `db:"f"`
		List  []string `db:"l"`
	}
	type keyless struct {
		Name string `db:"name"`
	}
	if readstore.NewTable[odd]("odd", readstore.State).Err() == nil || readstore.NewTable[keyless]("k", readstore.State).Err() == nil {
		t.Error("no error")
	}
}
