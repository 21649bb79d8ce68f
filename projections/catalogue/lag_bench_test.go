package catalogue_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// BenchmarkLag sends 1,000 messages a second for ten seconds, and tells for one in twenty how long after its append was
// acknowledged a reader found its row in PostgreSQL.
func BenchmarkLag(b *testing.B) {
	const (
		rate     = 1000
		sessions = 200
		sampled  = 20
	)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := newSite(b)
	q := session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 30_000}
	stream := func(i int) domain.SessionID { return domain.SessionID(fmt.Sprintf("0198a000-0000-7000-8000-%012d", i)) }
	for i := range sessions {
		id := stream(i)
		if err := s.append(s.began, "session-"+string(id), session.SessionRequested{SessionID: id, Queue: q, RequestedAt: s.began},
			session.SessionQueued{Queue: q, QueuedAt: s.began}); err != nil {
			b.Fatal(err)
		}
	}
	db := projectiontest.OpenPostgres(b, postgrestest.Cluster(b, postgrestest.Durable).URL())
	log := projections.FromStore(s.store, projections.DefaultMaxBatch, slog.New(slog.DiscardHandler))
	e, err := projections.NewEngine(db, log, catalogue.All(), projections.Options{Breather: 50 * time.Millisecond}) // as the program runs
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	var lags []time.Duration
	for b.Loop() {
		var mu sync.Mutex
		var seen sync.WaitGroup
		tick := time.NewTicker(time.Second / rate)
		var sent sync.WaitGroup
		for n := range 10 * rate {
			<-tick.C
			sent.Go(func() {
				id := stream(n % sessions)
				message := session.PublicMessageSent{Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"}, Text: fmt.Sprint("message ", n)}
				if err := s.append(time.Now(), "session-"+string(id), message); err != nil {
					b.Error(err)
					return
				}
				if n%sampled > 0 {
					return
				}
				acknowledged := time.Now()
				seen.Go(func() {
					if err := appears(ctx, db, id, fmt.Sprint("message ", n)); err != nil {
						b.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					lags = append(lags, time.Since(acknowledged))
				})
			})
		}
		tick.Stop()
		sent.Wait()
		seen.Wait()
	}
	cancel()
	<-ended
	slices.Sort(lags)
	ms := func(p float64) float64 { return float64(lags[int(p*float64(len(lags)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(.5), "p50-ms")
	b.ReportMetric(ms(.99), "p99-ms")
	b.ReportMetric(ms(1), "max-ms")
	b.ReportMetric(float64(len(lags)), "samples")
	b.ReportMetric(0, "ns/op")
}

// appears asks until a reader finds the message.
func appears(ctx context.Context, db readstore.DB, id domain.SessionID, text string) error {
	const query = `SELECT revision FROM transcript_customer WHERE session_id = ? AND text = ? ORDER BY revision DESC LIMIT 1`
	for ctx.Err() == nil {
		rows, err := db.Query(ctx, query, string(id), text)
		found, err := readstore.Collect(rows, err, func(rows readstore.Rows) (revision int64, err error) {
			return revision, rows.Scan(&revision)
		})
		if err != nil || len(found) > 0 {
			return err
		}
		<-time.After(time.Millisecond)
	}
	return ctx.Err()
}
