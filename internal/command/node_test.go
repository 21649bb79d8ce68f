package command_test

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

// TestANodeNeitherRefusesNorAllowsByWhatItRemembers lets one node change what another has in memory.
func TestANodeNeitherRefusesNorAllowsByWhatItRemembers(t *testing.T) {
	w := newWorld(t)
	one, two := service(t, w.store, true), service(t, w.store, true)
	w.must(one.RegisterStaff(w.ctx, asAdmin(), "ann", "Ann", "agent"))
	w.refused(domain.NotLoggedIn, ignore(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.OnBreak, "")))
	w.must(two.LogIn(w.ctx, asStaff("ann"), "ann", staff.Available))
	w.must(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.OnBreak, "")) // one remembers that ann is not logged in
	w.must(two.LogOut(w.ctx, asStaff("ann"), "ann"))
	w.refused(domain.NotLoggedIn, ignore(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.Available, ""))) // and now that she is
	request := asStaff("ann")
	request.Hash = "the same body"
	done, err := two.LogIn(w.ctx, request, "ann", staff.InMeeting)
	w.ok(err)
	again, err := one.LogIn(w.ctx, request, "ann", staff.InMeeting) // a repetition that reaches the other node
	w.ok(err)
	if again.Done.Revision != done.Revision || w.types("staff-ann")[len(w.types("staff-ann"))-1] != "StaffLoggedIn" || len(w.types("staff-ann")) != int(done.Revision)+1 {
		t.Errorf("the repetition stands at %d, the first at %d, of %v", again.Done.Revision, done.Revision, w.types("staff-ann"))
	}
}

// TestAKeyThatWasUsedForAnotherBodyOnAnotherNodeIsRefused is about a node that has the stream's state of before in memory: it
// decides, and the store must not take its event for the other's.
func TestAKeyThatWasUsedForAnotherBodyOnAnotherNodeIsRefused(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	id := w.engaged("ann")
	one, two := service(t, w.store, true), service(t, w.store, true)
	for _, node := range []*command.Service{one, two} { // both have it in memory, at the same revision
		_, err := node.Session(w.ctx, id)
		w.ok(err)
	}
	request := asStaff("ann")
	request.Hash = "one body"
	w.must(two.SendAsStaff(w.ctx, request, id, session.Public, "hello"))
	before := len(w.types("session-" + string(id)))
	other := request
	other.Hash = "another body"
	w.refused(domain.IdempotencyKeyReused, ignore(one.SendAsStaff(w.ctx, other, id, session.Public, "something else")))
	again, err := one.SendAsStaff(w.ctx, request, id, session.Public, "hello")
	w.ok(err)
	if now := len(w.types("session-" + string(id))); now != before || !again.Replayed {
		t.Errorf("%d events after the repetition, %d before it, replayed: %v", now, before, again.Replayed)
	}
}

// gatedStore holds back reads of streams until the gate opens, and counts them.
type gatedStore struct {
	eventstore.Store
	gate  chan struct{}
	reads atomic.Int64
}

func (s *gatedStore) ReadStream(ctx context.Context, stream string, from uint64, d eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	s.reads.Add(1)
	<-s.gate
	return s.Store.ReadStream(ctx, stream, from, d, limit)
}

// TestManyWhoAskForOneStreamShareItsReads is what keeps a profile that all staff have from being read once for each request.
func TestManyWhoAskForOneStreamShareItsReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &gatedStore{Store: storetest.NewMemory(), gate: make(chan struct{})}
		node := service(t, store, true)
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				if _, err := node.Profile(context.Background(), "agent"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(store.gate)
		asking.Wait()
		// One was under way when the others came, and tells them nothing of the time at which they did; the next does.
		if n := store.reads.Load(); n != 2 {
			t.Errorf("%d reads for 50 who ask at once, want 2", n)
		}
		if _, err := node.Profile(context.Background(), "agent"); err != nil || store.reads.Load() != 3 {
			t.Errorf("who comes later reads again: %d reads (%v)", store.reads.Load(), err)
		}
	})
}
