package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

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
// watched, and the slots of its agent are in the log too. Lanes play side by side, each with sessions and agents of its own.
type site struct {
	store  *embedded.Store
	events atomic.Int64
	began  time.Time
}

const (
	siteLanes  = 50
	siteAgents = 4  // a lane
	siteLive   = 10 // sessions at a time, a lane
)

func (s *site) append(at time.Time, stream string, events ...any) error {
	encoded := make([]eventstore.Event, len(events))
	for i, e := range events {
		r, err := eventcodec.Encode(uuid.New(), e, eventcodec.Metadata{
			OccurredAt: at, CorrelationID: uuid.NewString(), CausationID: uuid.NewString(), Actor: domain.System,
		})
		if err != nil {
			return err
		}
		encoded[i] = r
	}
	s.events.Add(int64(len(events)))
	_, err := s.store.Append(context.Background(), stream, eventstore.Any, encoded)
	return err
}

func newSite(b *testing.B) *site {
	b.Helper()
	store, err := embedded.Open(context.Background(), filepath.Join(b.TempDir(), "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	s := &site{store: store, began: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	settings := queue.Settings{Name: "Sales", ServiceLevelMS: 30_000, ShortAbandonMS: 5000, OfferTimeoutMS: 30_000}
	may := profile.Settings{Name: "Agents", Chat: true, MaxSessions: 5, Queues: []domain.QueueID{"sales"}}
	err = errors.Join(
		s.append(s.began, "queue-sales", queue.QueueDefined{QueueID: "sales", Settings: settings}),
		s.append(s.began, "profile-agents", profile.ProfileDefined{ProfileID: "agents", Settings: may}))
	for i := range siteLanes * siteAgents {
		id := domain.StaffID(fmt.Sprintf("agent-%d", i))
		err = errors.Join(err, s.append(s.began, "staff-"+string(id), staff.StaffRegistered{StaffID: id, Name: "Agent", ProfileID: "agents"},
			staff.StaffLoggedIn{StaffID: id, ProfileID: "agents", Status: staff.Available}))
	}
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// chat is one session that goes on.
type chat struct {
	id     domain.SessionID
	agent  session.StaffRef
	number int
	step   int
}

// play adds traffic until there are so many events.
func (s *site) play(b *testing.B, events int64) {
	b.Helper()
	var group errgroup.Group
	for lane := range siteLanes {
		group.Go(func() error {
			var live [siteLive]*chat
			at, number := s.began, 0
			for n := 0; s.events.Load() < events; n++ {
				at = at.Add(1700 * time.Millisecond)
				c := &live[n%siteLive]
				if *c == nil {
					number++
					*c = &chat{
						id:     domain.SessionID(fmt.Sprintf("0198a000-%04x-7000-8000-%012d", lane, number)),
						agent:  session.StaffRef{ID: domain.StaffID(fmt.Sprintf("agent-%d", lane*siteAgents+number%siteAgents)), Name: "Anna Karenina"},
						number: number,
					}
				}
				ended, err := s.turn(*c, at)
				if err != nil {
					return err
				}
				if ended {
					*c = nil
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// turn is what happens next in a session.
func (s *site) turn(c *chat, at time.Time) (ended bool, err error) {
	q := session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 30_000}
	stream, duty, reservation := "session-"+string(c.id), "staff-"+string(c.agent.ID), "r"+string(c.id)
	sue := session.StaffRef{ID: "sue", Name: "Sue"}
	switch c.step++; {
	case c.step == 1:
		customer := session.Customer{Name: "Carl", Email: "carl@example.org"}
		return false, errors.Join(
			s.append(at, stream, session.SessionRequested{SessionID: c.id, Queue: q, Customer: customer, RequestedAt: at}, session.SessionQueued{Queue: q, QueuedAt: at}),
			s.append(at, duty, staff.SlotReserved{SessionID: c.id, ReservationID: reservation, Purpose: staff.ForOffer}),
			s.append(at, stream, session.SessionOffered{Agent: c.agent, ReservationID: reservation, ExpiresAt: at.Add(time.Minute)}))
	case c.step == 2:
		return false, errors.Join(
			s.append(at, duty, staff.SlotReserved{SessionID: c.id, ReservationID: reservation, Purpose: staff.ForEngagement}),
			s.append(at, stream, session.AgentJoined{Agent: c.agent, ReservationID: reservation, JoinedAt: at, Queue: q, WaitedMS: 17_000, First: true}))
	case c.step == 3 && c.number%10 == 0:
		return false, s.append(at, stream, session.SupervisorStartedMonitoring{Supervisor: sue, QueueID: "sales", Agent: c.agent})
	case c.step == 15 && c.number%10 == 0:
		return false, s.append(at, stream, session.SupervisorStoppedMonitoring{Supervisor: sue, Reason: session.LeftByThemselves})
	case c.step > 21:
		return true, errors.Join(
			s.append(at, stream, session.SessionConcluded{Agent: c.agent, Reason: session.ConcludedByAgent}),
			s.append(at, duty, staff.SlotReleased{SessionID: c.id, ReservationID: reservation}))
	case c.step%2 == 0:
		return false, s.append(at, stream, session.PublicMessageSent{
			MessageID: uuid.NewString(), Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"},
			Text: "I have been waiting for my parcel for a week now, can you tell me where it is?",
		})
	default:
		return false, s.append(at, stream, session.PublicMessageSent{
			MessageID: uuid.NewString(), Sender: session.Sender{ID: string(c.agent.ID), Role: domain.RoleAgent, Name: c.agent.Name},
			Text: "Let me have a look. Could you give me the number of the order, please?",
		})
	}
}

// BenchmarkPostgres rebuilds all read models from a log, beside COPY of the events of that log into a bare table of the same
// server, which is the limit that it is measured by.
func BenchmarkPostgres(b *testing.B) {
	events := int64(500_000)
	if testing.Short() {
		events = 50_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // as the program runs
	s := newSite(b)
	s.play(b, events)
	url := postgrestest.Cluster(b, postgrestest.Durable).URL()
	log := projections.FromStore(s.store, projections.DefaultMaxBatch, slog.New(slog.DiscardHandler))
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			copyEvents(b, url, s.store)
		}
		report(b, int(s.events.Load()))
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			readLog(b, log)
		}
		report(b, int(s.events.Load()))
	})
	db := projectiontest.OpenPostgres(b, url)
	b.Run("rebuild", func(b *testing.B) {
		for b.Loop() {
			rebuildAll(b, db, log)
		}
		report(b, int(s.events.Load()))
	})
	rows, err := readstore.Dump(context.Background(), db, "agg_queue_15m")
	if err != nil || len(rows) == 0 {
		b.Fatal(err)
	}
}

// readLog reads and decodes the log, and does nothing with it.
func readLog(b *testing.B, log projections.Log) {
	b.Helper()
	ctx := context.Background()
	head, err := log.Head(ctx)
	if err != nil {
		b.Fatal(err)
	}
	source, err := log.Follow(ctx, eventstore.Start)
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	for at := eventstore.Start; at < head; {
		batch, err := source.Next(ctx)
		if err != nil {
			b.Fatal(err)
		}
		at = batch.Position
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
