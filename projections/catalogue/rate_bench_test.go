package catalogue_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// BenchmarkBacklog lets an engine catch up with backlogs of different lengths, each on a fresh schema of a server that waits for
// the disk: the events a second are to be the same.
func BenchmarkBacklog(b *testing.B) {
	lengths := []int64{10_000, 500_000}
	if testing.Short() {
		lengths = []int64{10_000, 50_000}
	}
	server := postgrestest.Cluster(b, postgrestest.Durable)
	for _, length := range lengths {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			s := newSite(b)
			s.play(b, length)
			log := projections.FromStore(s.store, projections.DefaultMaxBatch, slog.New(slog.DiscardHandler))
			var took time.Duration
			runs := 0
			for b.Loop() {
				b.StopTimer()
				url := newSchema(b, server.URL(), fmt.Sprintf("backlog_%d_%d", length, runs))
				db := projectiontest.OpenPostgres(b, url)
				b.StartTimer()
				began := time.Now()
				projectiontest.Apply(b, db, log, catalogue.All()...)
				took += time.Since(began)
				runs++
				b.StopTimer()
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(s.events.Load())*float64(runs)/took.Seconds(), "events/s")
		})
	}
}

// newSchema makes a schema, and gives the address of connections that have it as their search path.
func newSchema(b *testing.B, url, name string) string {
	b.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), "CREATE SCHEMA "+name); err != nil {
		b.Fatal(err)
	}
	return url + "&search_path=" + name
}
