package projectiontest

import (
	"context"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Plan tells how SQLite would answer a query, a line a step.
func Plan(t testing.TB, db readstore.Queryer, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	steps, err := readstore.Collect(rows, err, func(rows readstore.Rows) (step string, err error) {
		var n int
		return step, rows.Scan(&n, &n, &n, &step)
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// Searched fails when a step of the plan of a query reads a whole table, or one of the named steps is missing.
func Searched(t testing.TB, db readstore.Queryer, want []string, query string, args ...any) {
	t.Helper()
	plan := Plan(t, db, query, args...)
	for _, step := range plan {
		if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") {
			t.Errorf("%s\nreads all of a table: %s", query, step)
		}
	}
	all := strings.Join(plan, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("%s\nis answered without %q:\n%s", query, w, all)
		}
	}
}

// Recorder notes the queries that a reader puts to a database, so that their plans can be looked at.
type Recorder struct {
	readstore.DB
	Queries []Recorded
}

// Recorded is a query with its parameters.
type Recorded struct {
	Query string
	Args  []any
}

// Query implements readstore.Queryer.
func (r *Recorder) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	r.Queries = append(r.Queries, Recorded{query, args})
	return r.DB.Query(ctx, query, args...)
}
