// Package readstoretest is what every read database has to do, as tests: they run against both of them. It decides nothing.
package readstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

var (
	ctx = context.Background()
	t0  = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)
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

type counted struct {
	Key   int64 `db:"key,key"`
	Count int64 `db:"count"`
}

var (
	state   = readstore.NewTable[row]("thing", readstore.State)
	line    = readstore.NewTable[row]("thing", readstore.Append)
	counter = readstore.NewTable[counted]("thing", readstore.Counter)
)

// schemas of the table that the tests write.
var schemas = map[readstore.Dialect]string{
	readstore.SQLite: `CREATE TABLE thing (key INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT '', alias TEXT, count INTEGER NOT NULL,
		seq INTEGER, open INTEGER NOT NULL DEFAULT 0, wait_ms INTEGER, at INTEGER NOT NULL DEFAULT 0, end_at INTEGER) STRICT`,
	readstore.PostgreSQL: `CREATE TABLE thing (key bigint PRIMARY KEY, name text NOT NULL DEFAULT '', alias text, count bigint NOT NULL,
		seq bigint, open boolean NOT NULL DEFAULT false, wait_ms bigint, at timestamptz NOT NULL DEFAULT 'epoch', end_at timestamptz)`,
}

// Run runs the suite. Open gives an empty database each time, and closes it with the test.
func Run(t *testing.T, open func(t *testing.T) readstore.DB) {
	for name, test := range map[string]func(*testing.T, readstore.DB){
		"a row comes back as it was":                      comesBack,
		"rows meet their key as their kind says":          meetTheirKey,
		"many rows at once":                               manyRows,
		"a failed write stores nothing":                   failedWrite,
		"a statement has to change one row":               changesOne,
		"staged rows may change where that is promised":   detached,
		"a view stays at its moment":                      viewStays,
		"many keys are read in steps":                     inSteps,
		"a migration again changes nothing":               migratesAgain,
		"a set of tables beside the live ones is swapped": swapped,
		"a closed database says so":                       closed,
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			if err := db.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			write(t, db, func(tx readstore.Tx) error {
				_, err := tx.Exec(schemas[db.Dialect()])
				return err
			})
			test(t, db)
		})
	}
}

func write(t *testing.T, db readstore.DB, fn func(readstore.Tx) error) {
	t.Helper()
	if err := db.Write(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, db readstore.DB) []*row {
	t.Helper()
	rows, err := state.Select(ctx, db, "ORDER BY key")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func comesBack(t *testing.T, db readstore.DB) {
	zero, wait := int64(0), int64(1500)
	want := []*row{
		{Key: 1},
		{Key: 2, Name: "", Alias: "x", Count: 1 << 62, Seq: 9, Open: true, Wait: &zero, At: t0, End: t0.Add(time.Hour)},
		{Key: 3, Name: name(strings.Repeat("ä\\\t\n{}\"'", 50_000)), Wait: &wait, At: t0.Add(-100 * 365 * 24 * time.Hour)},
	}
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, want...) })
	got := all(t, db)
	if db.Dialect() == readstore.PostgreSQL {
		got[0].At, want[0].At = time.Time{}, time.Time{} // the year 1 is what it is, in whichever zone
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	nul := &row{Key: 4, Name: "a\x00b"}
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, nul) })
	if got := all(t, db)[3].Name; got != "a\x00b" && got != "a\uFFFDb" {
		t.Errorf("a NUL came back as %q", got)
	}
}

func meetTheirKey(t *testing.T, db readstore.DB) {
	write(t, db, func(tx readstore.Tx) error { return line.Write(db, tx, &row{Key: 1, Name: "a", Count: 5}) })
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, &row{Key: 1, Name: "b", Count: 7}) })
	write(t, db, func(tx readstore.Tx) error {
		return errors.Join(counter.Write(db, tx, &counted{Key: 1, Count: 3}), counter.Write(db, tx, &counted{Key: 1, Count: 4},
			&counted{Key: 2, Count: 1}))
	})
	got := all(t, db)
	if len(got) != 2 || got[0].Name != "b" || got[0].Count != 14 || got[1].Count != 1 {
		t.Errorf("%+v", got)
	}
	err := db.Write(ctx, func(tx readstore.Tx) error { return line.Write(db, tx, &row{Key: 1, Name: "c-secret"}) })
	if !readstore.Refused(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a line written twice: %v", err)
	}
}

func manyRows(t *testing.T, db readstore.DB) {
	const n = 3000
	rows, again := make([]*row, n), make([]*row, n)
	for i := range rows {
		wait := int64(i)
		rows[i] = &row{Key: int64(i), Name: name(fmt.Sprint(i)), Open: i%2 == 0, Wait: &wait, At: t0, End: t0}
		again[i] = &row{Key: int64(i), Alias: fmt.Sprint(i), At: t0}
	}
	write(t, db, func(tx readstore.Tx) error { return line.Write(db, tx, rows...) })
	if diff := cmp.Diff(rows, all(t, db)); diff != "" {
		t.Error(diff)
	}
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, again...) })
	if diff := cmp.Diff(again, all(t, db)); diff != "" {
		t.Error(diff)
	}
}

func failedWrite(t *testing.T, db readstore.DB) {
	failed := errors.New("failed")
	err := db.Write(ctx, func(tx readstore.Tx) error {
		if err := state.Write(db, tx, &row{Key: 1}); err != nil {
			return err
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Write(ctx, func(tx readstore.Tx) error {
			_ = state.Write(db, tx, &row{Key: 2})
			panic("failed")
		})
	}()
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, &row{Key: 3}) })
	if got := all(t, db); len(got) != 1 || got[0].Key != 3 {
		t.Errorf("%+v", got)
	}
}

func changesOne(t *testing.T, db readstore.DB) {
	err := db.Write(ctx, func(tx readstore.Tx) error {
		if err := state.Write(db, tx, &row{Key: 1}); err != nil {
			return err
		}
		return tx.One("UPDATE thing SET count = count + 1 WHERE key = ?", int64(2))
	})
	if !errors.Is(err, readstore.ErrNotOne) || len(all(t, db)) != 0 {
		t.Errorf("%v, %d rows", err, len(all(t, db)))
	}
	write(t, db, func(tx readstore.Tx) error {
		return errors.Join(state.Write(db, tx, &row{Key: 1}), tx.One("UPDATE thing SET count = count + ? WHERE key = ?", 3, int64(1)))
	})
	if got := all(t, db); len(got) != 1 || got[0].Count != 3 {
		t.Errorf("%+v", got)
	}
}

func detached(t *testing.T, db readstore.DB) {
	if !db.Detached() {
		t.Skip("it is not promised")
	}
	r := &row{Key: 1, Name: "before"}
	staged, err := db.Stage(state.Set([]*row{r}))
	if err != nil {
		t.Fatal(err)
	}
	r.Name = "after"
	write(t, db, func(tx readstore.Tx) error { return tx.Put(staged) })
	if got := all(t, db); got[0].Name != "before" {
		t.Errorf("%+v", got[0])
	}
}

func viewStays(t *testing.T, db readstore.DB) {
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, &row{Key: 1}) })
	err := db.View(ctx, func(v readstore.Queryer) error {
		for range 2 {
			rows, err := state.Select(ctx, v, "")
			if err != nil || len(rows) != 1 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, &row{Key: 2}) }) // readers never hold it up
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func inSteps(t *testing.T, db readstore.DB) {
	var keys []int64
	var rows []*row
	for i := range int64(1501) {
		keys = append(keys, i)
		rows = append(rows, &row{Key: i, Name: name(fmt.Sprint(i)), Open: i%2 == 0})
	}
	write(t, db, func(tx readstore.Tx) error { return state.Write(db, tx, rows...) })
	for n, want := range map[int]int{0: 0, 1: 1, 3: 2, 300: 150, 1501: 751} {
		rows, err := readstore.SelectIn(ctx, db, state, "key", keys[:n], "AND open")
		if err != nil || len(rows) != want {
			t.Errorf("%d keys: %d rows, want %d (%v)", n, len(rows), want, err)
		}
	}
	named, err := readstore.SelectIn(ctx, db, state, "name", []name{"7", "9", "none"}, "")
	if err != nil || len(named) != 2 {
		t.Errorf("by name: %d rows, %v", len(named), err)
	}
}

func migratesAgain(t *testing.T, db readstore.DB) {
	if err := errors.Join(db.Migrate(ctx), db.Migrate(ctx)); err != nil {
		t.Fatal(err)
	}
	columns, err := db.Columns(ctx, "checkpoint")
	if err != nil || len(columns) == 0 {
		t.Errorf("%v %v", columns, err)
	}
	if none, err := db.Columns(ctx, "no_such_table"); err != nil || len(none) != 0 {
		t.Errorf("%v %v", none, err)
	}
}

func swapped(t *testing.T, db readstore.DB) {
	insert := func(key int64, id string) func(readstore.Tx) error {
		return func(tx readstore.Tx) error {
			_, err := tx.Exec("INSERT INTO transcript_session (session_key, session_id) VALUES (?, ?)", key, id)
			return err
		}
	}
	write(t, db, insert(1, "old"))
	tables := []string{"transcript_session", "transcript_entry"}
	ids := func(q readstore.Queryer) string {
		rows, err := q.Query(ctx, "SELECT session_id FROM transcript_session ORDER BY session_key")
		got, err := readstore.Collect(rows, err, func(rows readstore.Rows) (id string, err error) { return id, rows.Scan(&id) })
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, " ")
	}
	for n := range 3 { // the second finds what the first left, and there can be more than one swap
		second, err := db.Beside(ctx, tables)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && ids(second) != "" {
			t.Errorf("the fresh table holds %q", ids(second))
		}
		if err := second.Empty(ctx, tables); err != nil {
			t.Fatal(err)
		}
		write(t, second, insert(2, fmt.Sprint("new", n)))
		if got := ids(db); n == 0 && got != "old" {
			t.Errorf("the live table holds %q", got)
		}
		if n == 1 { // interrupted
			if err := second.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := second.Complete(ctx, tables); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("failed")
		if err := second.Swap(ctx, tables, func(_ readstore.Tx, adopt func() error) error {
			return errors.Join(adopt(), failed)
		}); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		if err := second.Swap(ctx, tables, func(_ readstore.Tx, adopt func() error) error { return adopt() }); err != nil {
			t.Fatal(err)
		}
		if got, want := ids(db), fmt.Sprint("new", n); got != want {
			t.Errorf("after the swap: %q, want %q", got, want)
		}
		write(t, db, func(tx readstore.Tx) error {
			_, err := tx.Exec("UPDATE transcript_session SET session_id = ? WHERE session_key = ?", "x", int64(2))
			return err
		})
		if err := insertTwice(db, insert); !readstore.Refused(err) {
			t.Errorf("the adopted table has lost its key: %v", err)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func insertTwice(db readstore.DB, insert func(int64, string) func(readstore.Tx) error) error {
	return db.Write(ctx, func(tx readstore.Tx) error { return errors.Join(insert(2, "y")(tx), tx.Flush()) })
}

func closed(t *testing.T, db readstore.DB) {
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, func(readstore.Tx) error { return nil }); !errors.Is(err, readstore.ErrClosed) {
		t.Errorf("a write: %v", err)
	}
	if _, err := db.Query(ctx, "SELECT 1"); !errors.Is(err, readstore.ErrClosed) {
		t.Errorf("a query: %v", err)
	}
	if err := db.View(ctx, func(readstore.Queryer) error { return nil }); !errors.Is(err, readstore.ErrClosed) {
		t.Errorf("a view: %v", err)
	}
}
