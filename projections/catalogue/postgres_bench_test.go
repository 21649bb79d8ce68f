package catalogue_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// site is a company's traffic as the simulation plays it: a session has some 28 events, 19 of them messages, one in ten is
// watched, and the slots of its agent are in the log too.
type site struct {
	store  *embedded.Store
	events int
	at     time.Time
	serial int
}

const (
	siteAgents = 200
	siteLive   = 500 // sessions at a time
)

func (s *site) append(b *testing.B, stream string, events ...any) {
	b.Helper()
	encoded := make([]eventstore.Event, len(events))
	for i, e := range events {
		r, err := eventcodec.Encode(uuid.New(), e, eventcodec.Metadata{
			OccurredAt: s.at, CorrelationID: uuid.NewString(), CausationID: uuid.NewString(), Actor: domain.System,
		})
		if err != nil {
			b.Fatal(err)
		}
		encoded[i] = r
	}
	if _, err := s.store.Append(context.Background(), stream, eventstore.Any, encoded); err != nil {
		b.Fatal(err)
	}
	s.events += len(events)
}

func newSite(b *testing.B) *site {
	b.Helper()
	store, err := embedded.Open(context.Background(), filepath.Join(b.TempDir(), "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	s := &site{store: store, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	settings := queue.Settings{Name: "Sales", ServiceLevelMS: 30_000, ShortAbandonMS: 5000, OfferTimeoutMS: 30_000}
	s.append(b, "queue-sales", queue.QueueDefined{QueueID: "sales", Settings: settings})
	s.append(b, "profile-agents", profile.ProfileDefined{ProfileID: "agents", Settings: profile.Settings{Name: "Agents", Chat: true, MaxSessions: 5, Queues: []domain.QueueID{"sales"}}})
	for i := range siteAgents {
		id := domain.StaffID(fmt.Sprintf("agent-%d", i))
		s.append(b, "staff-"+string(id), staff.StaffRegistered{StaffID: id, Name: "Agent", ProfileID: "agents"},
			staff.StaffLoggedIn{StaffID: id, ProfileID: "agents", Status: staff.Available})
	}
	return s
}

// chat is one session that goes on.
type chat struct {
	id    domain.SessionID
	agent session.StaffRef
	step  int
}

// play adds traffic until there are so many events.
func (s *site) play(b *testing.B, events int) {
	b.Helper()
	q := session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 30_000}
	live := make([]*chat, siteLive)
	for n := 0; s.events < events; n++ {
		i := (n * 7919) % siteLive
		s.at = s.at.Add(35 * time.Millisecond)
		c := live[i]
		if c == nil {
			s.serial++
			c = &chat{id: domain.SessionID(fmt.Sprintf("0198a000-%04x-7000-8000-%012d", s.serial>>8, s.serial))}
			c.agent = session.StaffRef{ID: domain.StaffID(fmt.Sprintf("agent-%d", s.serial%siteAgents)), Name: "Anna Karenina"}
			live[i] = c
		}
		stream, duty, reservation := "session-"+string(c.id), "staff-"+string(c.agent.ID), "r"+string(c.id)
		switch c.step++; {
		case c.step == 1:
			s.append(b, stream, session.SessionRequested{SessionID: c.id, Queue: q, Customer: session.Customer{Name: "Carl", Email: "carl@example.org"}, RequestedAt: s.at},
				session.SessionQueued{Queue: q, QueuedAt: s.at})
			s.append(b, duty, staff.SlotReserved{SessionID: c.id, ReservationID: reservation, Purpose: staff.ForOffer})
			s.append(b, stream, session.SessionOffered{Agent: c.agent, ReservationID: reservation, ExpiresAt: s.at.Add(time.Minute)})
		case c.step == 2:
			s.append(b, duty, staff.SlotReserved{SessionID: c.id, ReservationID: reservation, Purpose: staff.ForEngagement})
			s.append(b, stream, session.AgentJoined{Agent: c.agent, ReservationID: reservation, JoinedAt: s.at, Queue: q, WaitedMS: 17_500, First: true})
		case c.step == 3 && s.serial%10 == 0:
			s.append(b, stream, session.SupervisorStartedMonitoring{Supervisor: session.StaffRef{ID: "sue", Name: "Sue"}, QueueID: "sales", Agent: c.agent})
		case c.step == 15 && s.serial%10 == 0:
			s.append(b, stream, session.SupervisorStoppedMonitoring{Supervisor: session.StaffRef{ID: "sue", Name: "Sue"}, Reason: session.LeftByThemselves})
		case c.step > 21:
			s.append(b, stream, session.SessionConcluded{Agent: c.agent, Reason: session.ConcludedByAgent})
			s.append(b, duty, staff.SlotReleased{SessionID: c.id, ReservationID: reservation})
			live[i] = nil
		case c.step%2 == 0:
			s.append(b, stream, session.PublicMessageSent{MessageID: uuid.NewString(), Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"},
				Text: "I have been waiting for my parcel for a week now, can you tell me where it is?"})
		default:
			s.append(b, stream, session.PublicMessageSent{MessageID: uuid.NewString(), Sender: session.Sender{ID: string(c.agent.ID), Role: domain.RoleAgent, Name: c.agent.Name},
				Text: "Let me have a look. Could you give me the number of the order, please?"})
		}
	}
}

// BenchmarkPostgres rebuilds all read models from a log, beside COPY of the events of that log into a bare table of the same
// server, which is the limit that it is measured by.
func BenchmarkPostgres(b *testing.B) {
	events := 500_000
	if testing.Short() {
		events = 50_000
	}
	s := newSite(b)
	s.play(b, events)
	url := postgrestest.Cluster(b, postgrestest.Durable).URL()
	log := projections.FromStore(s.store, projections.DefaultMaxBatch, slog.New(slog.DiscardHandler))
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			copyEvents(b, url, s.store)
		}
		report(b, s.events)
	})
	db := projectiontest.OpenPostgres(b, url)
	b.Run("rebuild", func(b *testing.B) {
		for b.Loop() {
			rebuildAll(b, db, log)
		}
		report(b, s.events)
	})
	rows, err := readstore.Dump(context.Background(), db, "agg_queue_15m")
	if err != nil || len(rows) == 0 {
		b.Fatal(err)
	}
}

func rebuildAll(b *testing.B, db readstore.DB, log projections.Log) {
	b.Helper()
	err := projections.Rebuild(context.Background(), db, log, catalogue.All(), projections.Rebuilding{})
	if err != nil {
		b.Fatal(err)
	}
}

// copyEvents copies the events of a store, which it has read before, so that only the database is measured.
func copyEvents(b *testing.B, url string, store *embedded.Store) {
	b.Helper()
	b.StopTimer()
	ctx := context.Background()
	var rows [][]any
	for e, err := range store.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
		if err != nil {
			b.Fatal(err)
		}
		rows = append(rows, []any{int64(e.Position), e.Stream, int64(e.Revision), e.Type, e.RecordedAt, string(e.Data), string(e.Metadata)})
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	const bare = `DROP TABLE IF EXISTS bare; CREATE TABLE bare (position bigint, stream text, revision bigint, type text,
		recorded_at timestamptz, data text, metadata text)`
	if _, err := conn.Exec(ctx, bare); err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
	columns := []string{"position", "stream", "revision", "type", "recorded_at", "data", "metadata"}
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"bare"}, columns, pgx.CopyFromRows(rows)); err != nil {
		b.Fatal(err)
	}
}
