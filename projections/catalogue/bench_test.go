package catalogue_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

const (
	benchEvents   = 220_000
	benchMessages = 50 // a session
)

// traffic gives the events of sessions, of which so many go on at a time, one by one.
func traffic(live int, yield func(stream string, at time.Time, events ...session.Event)) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	queue := session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 30_000}
	agent := session.StaffRef{ID: "anna", Name: "Anna Karenina"}
	streams, told, serial := make([]domain.SessionID, live), make([]int, live), 0
	for n := 0; n < benchEvents; n++ {
		i := (n * 7919) % live
		at = at.Add(70 * time.Microsecond)
		stream := eventcodec.SessionPrefix + string(streams[i])
		switch told[i]++; {
		case streams[i] == "":
			serial++
			streams[i] = domain.SessionID(fmt.Sprintf("0198a000-%04x-7000-8000-%012d", serial>>8, serial))
			stream = eventcodec.SessionPrefix + string(streams[i])
			yield(stream, at,
				session.SessionRequested{SessionID: streams[i], Queue: queue, Customer: session.Customer{Name: "Carl"}, RequestedAt: at},
				session.SessionQueued{Queue: queue, QueuedAt: at},
				session.SessionOffered{Agent: agent, ReservationID: "r"},
				session.AgentJoined{Agent: agent, ReservationID: "r", JoinedAt: at, Queue: queue, First: true})
		case told[i] > benchMessages:
			yield(stream, at, session.SessionConcluded{Agent: agent, Reason: session.ConcludedByAgent})
			streams[i], told[i] = "", 0
		case told[i]%2 == 0:
			yield(stream, at, session.PublicMessageSent{
				MessageID: "0198a000-0000-7000-8000-000000000000", Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"},
				Text: "I have been waiting for my parcel for a week now, can you tell me where it is?",
			})
		default:
			yield(stream, at, session.PublicMessageSent{
				MessageID: "0198a000-0000-7000-8000-000000000000", Sender: session.Sender{ID: "anna", Role: domain.RoleAgent, Name: agent.Name},
				Text: "Let me have a look. Could you give me the number of the order, please?",
			})
		}
	}
}

// BenchmarkCatchUp folds a log in memory, already decoded: what the projections themselves cost.
func BenchmarkCatchUp(b *testing.B) {
	for _, live := range []int{1000, 10000} {
		log := &projectiontest.Log{Step: 1000}
		traffic(live, func(stream string, at time.Time, events ...session.Event) {
			projectiontest.Append(log, stream, at, events...)
		})
		for _, names := range append(catalogue.Names(), "all") {
			b.Run(fmt.Sprintf("live=%d/%s", live, names), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					db := projectiontest.Open(b)
					b.StartTimer()
					group := catalogue.All()
					if p, ok := catalogue.New(names); ok {
						group = []projections.Projection{p}
					}
					projectiontest.Apply(b, db, log, group...)
				}
				report(b, len(log.Events()))
			})
		}
	}
}

// BenchmarkLive commits batches of some size, as they come when the log is followed live.
func BenchmarkLive(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256, 1024} {
		log := &projectiontest.Log{}
		traffic(1000, func(stream string, at time.Time, events ...session.Event) {
			projectiontest.Append(log, stream, at, events...)
		})
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			events := min(len(log.Events()), 20_000*min(size, 11))
			for b.Loop() {
				b.StopTimer()
				db := projectiontest.Open(b)
				e, err := projections.NewEngine(db, &stepped{log, size, events}, catalogue.All(), projections.Options{MaxBatch: 1})
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				projectiontest.RunTo(b, e, eventstore.Position(events))
			}
			report(b, events)
		})
	}
}

// stepped is a log that delivers batches of exactly one size.
type stepped struct {
	*projectiontest.Log
	size, end int
}

func (l *stepped) Head(context.Context) (eventstore.Position, error) {
	return eventstore.Position(l.end), nil
}

func (l *stepped) Follow(_ context.Context, after eventstore.Position) (projections.Source, error) {
	return &steps{l, int(after)}, nil
}

type steps struct {
	log  *stepped
	next int
}

func (s *steps) Next(ctx context.Context) (projections.Batch, error) {
	if s.next >= s.log.end {
		<-ctx.Done()
		return projections.Batch{}, ctx.Err()
	}
	from := s.next
	s.next = min(s.next+s.log.size, s.log.end)
	return projections.Batch{Events: s.log.Events()[from:s.next], Position: eventstore.Position(s.next)}, nil
}

func (s *steps) Close() error { return nil }

// BenchmarkFromStore folds what the embedded store holds, through the feed and the codec.
func BenchmarkFromStore(b *testing.B) {
	ctx := context.Background()
	store, err := embedded.Open(ctx, filepath.Join(b.TempDir(), "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	count := 0
	traffic(1000, func(stream string, at time.Time, events ...session.Event) {
		var encoded []eventstore.Event
		for _, e := range events {
			r, err := eventcodec.Encode(uuid.New(), e, eventcodec.Metadata{OccurredAt: at, CorrelationID: uuid.NewString(), CausationID: uuid.NewString()})
			if err != nil {
				b.Fatal(err)
			}
			encoded = append(encoded, r)
		}
		if _, err := store.Append(ctx, stream, eventstore.Any, encoded); err != nil {
			b.Fatal(err)
		}
		count += len(events)
	})
	log := projections.FromStore(store, projections.DefaultMaxBatch, slog.New(slog.DiscardHandler))
	for b.Loop() {
		b.StopTimer()
		db := projectiontest.Open(b)
		b.StartTimer()
		projectiontest.Apply(b, db, log, catalogue.All()...)
	}
	report(b, count)
}

func report(b *testing.B, events int) {
	perEvent := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(events)
	b.ReportMetric(perEvent, "ns/event")
	b.ReportMetric(1e9/perEvent, "events/s")
	b.ReportMetric(0, "ns/op")
}
