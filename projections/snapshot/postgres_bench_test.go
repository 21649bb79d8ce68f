package snapshot_test

import (
	"context"
	_ "embed"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/snapshot"
)

//go:embed testdata/million.sql
var million string

// BenchmarkPostgres asks for the snapshot of 10,000 live sessions beside 1,000,000 finished ones: the views and functions, each
// as one prepared statement whose rows are all read, and the reports that the API makes of the facts.
func BenchmarkPostgres(b *testing.B) {
	ctx := context.Background()
	url := postgrestest.Cluster(b, postgrestest.Durable).URL()
	db := projectiontest.OpenPostgres(b, url)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.PgConn().Exec(ctx, million).Close(); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
	past := time.Now().Add(-8 * time.Hour) // in the middle
	columns := func(of string) string {
		names, err := db.Columns(ctx, of)
		if err != nil || len(names) == 0 {
			b.Fatal(of, err)
		}
		return strings.Join(names, ", ")
	}
	for _, view := range []string{"queue_snapshot", "queue_snapshot_agent", "queue_snapshot_session"} {
		queries := map[string][]any{
			"SELECT " + columns(view) + " FROM " + view:             nil,
			"SELECT " + columns(view) + " FROM " + view + "_at($1)": {past},
		}
		for _, query := range []string{"SELECT " + columns(view) + " FROM " + view, "SELECT " + columns(view) + " FROM " + view + "_at($1)"} {
			name := view
			if len(queries[query]) > 0 {
				name += "_at"
			}
			b.Run(name, func(b *testing.B) {
				measured(b, func() (int, error) { return readAll(ctx, conn, query, queries[query]...) })
			})
		}
	}
	reader := snapshot.NewReader(db)
	b.Run("report", func(b *testing.B) {
		measured(b, func() (int, error) {
			s, err := reader.Snapshot(ctx, nil, time.Now())
			return len(s.Sessions), err
		})
	})
	b.Run("report_at", func(b *testing.B) {
		measured(b, func() (int, error) {
			s, err := reader.SnapshotAt(ctx, nil, past)
			return len(s.Sessions), err
		})
	})
}

func readAll(ctx context.Context, conn *pgx.Conn, query string, args ...any) (n int, err error) {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// measured reports percentiles, after the server has made its plan for good.
func measured(b *testing.B, ask func() (int, error)) {
	b.Helper()
	for range 8 {
		if _, err := ask(); err != nil {
			b.Fatal(err)
		}
	}
	var took []time.Duration
	var rows int
	for b.Loop() {
		began := time.Now()
		n, err := ask()
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
		took, rows = append(took, time.Since(began)), n
	}
	slices.Sort(took)
	ms := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(.5), "p50-ms")
	b.ReportMetric(ms(.99), "p99-ms")
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric(0, "ns/op")
}
