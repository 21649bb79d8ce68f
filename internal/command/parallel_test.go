package command_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
)

// together runs n calls at the same time and counts their codes, "" for success.
func together(n int, call func(i int) error) map[domain.Code]int {
	codes := make([]domain.Code, n)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			err := call(i)
			if codes[i] = domain.CodeOf(err); err != nil && codes[i] == "" {
				codes[i] = domain.Code(err.Error())
			}
		})
	}
	close(start)
	group.Wait()
	counts := map[domain.Code]int{}
	for _, c := range codes {
		counts[c]++
	}
	return counts
}

// nodes are services over one store: one process that knows that it is alone, or two that know that they are not.
func nodes(t *testing.T, w *world) map[string][]*command.Service {
	return map[string][]*command.Service{
		"one node":  {service(t, w.store, false)},
		"two nodes": {service(t, w.store, true), service(t, w.store, true)},
	}
}

func TestRule12ThirtyParallelMonitorsOfFiveIdleSessionsGiveExactlyFive(t *testing.T) {
	for _, name := range []string{"one node", "two nodes"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			services := nodes(t, w)[name]
			w.onDuty("lead", "sue")
			var sessions []domain.SessionID
			for i := range 15 {
				w.onDuty("agent", number("a", i))
				sessions = append(sessions, w.engaged(number("a", i)), w.engaged(number("a", i)))
			}
			for range 4 {
				counts := together(30, func(i int) error {
					return ignore(services[i%len(services)].Monitor(w.ctx, asStaff("sue"), sessions[i], ""))
				})
				if counts[""] != 5 || counts[domain.NoIdleSession] != 25 {
					t.Fatalf("got %v", counts)
				}
				w.Service = service(t, w.store, false)
				w.sound()
				w.leaveAll(services, "sue")
			}
		})
	}
}

// leaveAll ends all monitorings of a member at the same time.
func (w *world) leaveAll(services []*command.Service, id domain.StaffID) {
	w.t.Helper()
	held := w.member(id).Slots
	counts := together(len(held), func(i int) error {
		return ignore(services[i%len(services)].Leave(w.ctx, asStaff(id), held[i].SessionID))
	})
	if counts[""] != len(held) {
		w.t.Fatalf("leaving: %v", counts)
	}
	w.Service = service(w.t, w.store, false)
	if got := w.slots(id); len(got) != 0 {
		w.t.Fatalf("slots after leaving: %v", got)
	}
}

func TestRule12ParallelRequestsOfDifferentKindsHoldOneLimit(t *testing.T) {
	w := newWorld(t)
	services := nodes(t, w)["two nodes"]
	w.onDuty("agent", "ann", "bob")
	w.onDuty("lead", "sue")
	sessions := []domain.SessionID{w.engaged("ann"), w.engaged("ann"), w.engaged("bob"), w.engaged("bob")}
	for range 8 {
		sessions = append(sessions, w.waiting())
	}
	counts := together(len(sessions), func(i int) error {
		s := services[i%2]
		switch {
		case i < 4:
			return ignore(s.Monitor(w.ctx, asStaff("sue"), sessions[i], ""))
		case i < 8:
			return ignore(s.Accept(w.ctx, asStaff("sue"), sessions[i]))
		default:
			return ignore(s.Offer(w.ctx, asSystem(), sessions[i], "sue"))
		}
	})
	if counts[""] != 5 || counts[domain.NoIdleSession] != 7 {
		t.Errorf("got %v", counts)
	}
	w.Service = service(t, w.store, false)
	w.sound()
}

func TestOfAllAgentsWhoPullASessionExactlyOneGetsIt(t *testing.T) {
	for _, name := range []string{"one node", "two nodes"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			services := nodes(t, w)[name]
			for i := range 12 {
				w.onDuty("agent", number("a", i))
			}
			for range 5 {
				id := w.waiting()
				counts := together(12, func(i int) error {
					return ignore(services[i%len(services)].Accept(w.ctx, asStaff(number("a", i)), id))
				})
				// Who came too late does not see the session any more.
				if counts[""] != 1 || counts[domain.Missing] != 11 {
					t.Fatalf("got %v", counts)
				}
				w.Service = service(t, w.store, false)
				w.sound()
				w.must(w.Conclude(w.ctx, asAdmin(), id, ""))
			}
		})
	}
}

func TestOneSupervisorWhoAsksTwiceAtOnceMonitorsOnce(t *testing.T) {
	w := newWorld(t)
	services := nodes(t, w)["two nodes"]
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	counts := together(8, func(i int) error { return ignore(services[i%2].Monitor(w.ctx, asStaff("sue"), id, "")) })
	if counts[""] != 1 || counts[domain.AlreadyMonitoring] != 7 {
		t.Errorf("got %v", counts)
	}
	w.Service = service(t, w.store, false)
	w.sound()
}

func TestTheSameRequestSentManyTimesAtOnceIsCarriedOutOnce(t *testing.T) {
	w := newWorld(t)
	services := nodes(t, w)["two nodes"]
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	monitor, message := asStaff("sue"), asStaff("ann")
	counts := together(8, func(i int) error { return ignore(services[i%2].Monitor(w.ctx, monitor, id, "")) })
	counts2 := together(8, func(i int) error {
		return ignore(services[i%2].SendAsStaff(w.ctx, message, id, session.Public, "hi"))
	})
	if counts[""] != 8 || counts2[""] != 8 {
		t.Errorf("got %v, %v", counts, counts2)
	}
	if got := w.types(command.SessionStream(id)); len(got) != 5 {
		t.Errorf("got %v", got)
	}
	w.Service = service(t, w.store, false)
	w.sound()
}

func TestRule4AnAgentsWriteDoesNotFailBecauseWatchersCome(t *testing.T) {
	w := newWorld(t)
	services := nodes(t, w)["two nodes"]
	w.onDuty("agent", "ann")
	for i := range 6 {
		w.onDuty("lead", number("s", i))
	}
	id := w.engaged("ann")
	revision := w.state(id).Revision(session.Reader{As: session.ToAgent, StaffID: "ann"})
	counts := together(7, func(i int) error {
		if i < 6 {
			return ignore(services[0].Monitor(w.ctx, asStaff(number("s", i)), id, ""))
		}
		r := asStaff("ann")
		r.IfMatch = &revision
		return ignore(services[1].SendAsStaff(w.ctx, r, id, session.Public, "hi"))
	})
	if counts[""] != 7 {
		t.Errorf("got %v", counts)
	}
	if got := w.member("s0").Slots; len(got) > 1 || len(got) == 1 && got[0].Purpose != staff.ForMonitoring {
		t.Error(fmt.Sprint(got))
	}
}
