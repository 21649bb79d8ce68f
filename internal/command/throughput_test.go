package command_test

import (
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
)

const inFlight = 64

// BenchmarkMessagesInFlight compares 64 sessions that write at the same time with 64 bare appends at the same time.
func BenchmarkMessagesInFlight(b *testing.B) {
	text := string(make([]byte, 0, 100)) + "Could you tell me when the parcel is going to arrive? I have been waiting since Monday, thank you."
	b.Run("store alone", func(b *testing.B) {
		store := openStore(b)
		data, err := eventcodec.Encode(uuid.New(), session.PublicMessageSent{
			MessageID: uuid.NewString(), Sender: session.Sender{Role: domain.RoleCustomer, Name: "Kim"}, Text: text,
		}, eventcodec.Metadata{Actor: domain.Actor{Role: domain.RoleCustomer, ID: uuid.NewString()}, CorrelationID: uuid.NewString(), CausationID: uuid.NewString(), OccurredAt: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		var worker atomic.Int64
		b.SetParallelism(inFlight / 2)
		b.RunParallel(func(pb *testing.PB) {
			stream := "session-" + uuid.NewString()
			worker.Add(1)
			for revision := eventstore.NoStream; pb.Next(); revision++ {
				e := data
				e.ID = uuid.New()
				if _, err := store.Append(b.Context(), stream, revision, []eventstore.Event{e}); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	})
	b.Run("commands", func(b *testing.B) {
		service, sessions := engagedSessions(b, openStore(b), inFlight)
		var worker atomic.Int64
		b.SetParallelism(inFlight / 2)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			id := sessions[int(worker.Add(1))%len(sessions)]
			for pb.Next() {
				r := command.Request{ID: uuid.New(), Actor: domain.Actor{Role: domain.RoleCustomer, ID: string(id)}, At: time.Now()}
				if _, err := service.SendAsCustomer(b.Context(), r, id, session.Public, text); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}

func openStore(tb testing.TB) *embedded.Store {
	tb.Helper()
	store, err := embedded.Open(tb.Context(), filepath.Join(tb.TempDir(), "events.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	return store
}

// engagedSessions is a service with so many sessions that have an agent.
func engagedSessions(tb testing.TB, store eventstore.Store, n int) (*command.Service, []domain.SessionID) {
	tb.Helper()
	service, err := command.New(command.Config{Store: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	by := func(role domain.Role, id string) command.Request {
		return command.Request{ID: uuid.New(), Actor: domain.Actor{ID: id, Role: role}, At: time.Now()}
	}
	ctx := tb.Context()
	_, err = service.DefineQueue(ctx, by(domain.RoleAdmin, "root"), "q", queue.Settings{Name: "q", AgentPrivateReply: queue.AfterJoin, OfferTimeoutMS: 60_000})
	check(err)
	_, err = service.DefineProfile(ctx, by(domain.RoleAdmin, "root"), "p", profile.Settings{
		Name: "p", Chat: true, MaxSessions: profile.MaxSessions, Queues: []domain.QueueID{"q"}, PullPolicy: profile.FirstDue,
	})
	check(err)
	_, err = service.RegisterStaff(ctx, by(domain.RoleAdmin, "root"), "ada", "Ada", "p")
	check(err)
	_, err = service.LogIn(ctx, by(domain.RoleStaff, "ada"), "ada", staff.Unavailable)
	check(err)
	sessions := make([]domain.SessionID, n)
	for i := range sessions {
		sessions[i], _, err = service.RequestSession(ctx, by(domain.RoleCustomer, ""), command.ChatRequest{QueueID: "q", Customer: session.Customer{Name: "Kim"}})
		check(err)
		_, err = service.Accept(ctx, by(domain.RoleStaff, "ada"), sessions[i])
		check(err)
	}
	return service, sessions
}
