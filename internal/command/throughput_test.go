package command_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const inFlight = 64

// BenchmarkMessagesInFlight compares 64 sessions that write at the same time with 64 bare appends at the same time.
func BenchmarkMessagesInFlight(b *testing.B) {
	const text = "Could you tell me when the parcel is going to arrive? I have been waiting since Monday, thank you."
	b.Run("store alone", func(b *testing.B) {
		store := open(b)
		data, err := eventcodec.Encode(uuid.New(), session.PublicMessageSent{
			MessageID: uuid.NewString(), Sender: session.Sender{Role: domain.RoleCustomer, Name: "Kim"}, Text: text,
		}, eventcodec.Metadata{Actor: domain.Actor{Role: domain.RoleCustomer, ID: uuid.NewString()}, CorrelationID: uuid.NewString(), CausationID: uuid.NewString(), OccurredAt: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		b.SetParallelism(inFlight / 2)
		b.RunParallel(func(pb *testing.PB) {
			stream := "session-" + uuid.NewString()
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
		w := newWorld(b)
		roomy := agentProfile()
		roomy.MaxSessions = inFlight
		w.profile("agent", roomy)
		w.onDuty("agent", "ann")
		sessions := make([]domain.SessionID, inFlight)
		for i := range sessions {
			sessions[i] = w.engaged("ann")
		}
		var worker atomic.Int64
		b.SetParallelism(inFlight / 2)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			id := sessions[int(worker.Add(1))%len(sessions)]
			for pb.Next() {
				if _, err := w.SendAsCustomer(b.Context(), asCustomer(), id, session.Public, text); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}
