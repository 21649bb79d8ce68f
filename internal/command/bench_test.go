package command_test

import (
	"strconv"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
)

// BenchmarkMessage shows that a message costs the same in a session of 10 and of 10,000 messages. A session that has
// doubled makes way for a new one of the first length, so that the short one stays short.
func BenchmarkMessage(b *testing.B) {
	for _, length := range []int{10, 10_000} {
		b.Run(strconv.Itoa(length), func(b *testing.B) {
			w := newWorld(b)
			w.onDuty("agent", "ann")
			id, more := w.talked("ann", length), 0
			for b.Loop() {
				if more == length {
					b.StopTimer()
					w.must(w.Conclude(w.ctx, asStaff("ann"), id, ""))
					id, more = w.talked("ann", length), 0
					b.StartTimer()
				}
				w.must(w.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hello"))
				more++
			}
		})
	}
}

// talked is a session of so many messages.
func (w *world) talked(agent domain.StaffID, messages int) domain.SessionID {
	w.t.Helper()
	id := w.engaged(agent)
	for range messages {
		w.must(w.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hello"))
	}
	return id
}
