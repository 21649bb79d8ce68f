package command_test

import (
	"strconv"
	"testing"

	"github.com/chatwatch/chatwatch/domain/session"
)

// A message costs the same in a session of 10 and of 10,000 messages.
func BenchmarkMessage(b *testing.B) {
	for _, length := range []int{10, 10_000} {
		b.Run(strconv.Itoa(length), func(b *testing.B) {
			w := newWorld(b)
			w.onDuty("agent", "ann")
			id := w.engaged("ann")
			for range length {
				w.must(w.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hello"))
			}
			for b.Loop() {
				w.must(w.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hello"))
			}
		})
	}
}
