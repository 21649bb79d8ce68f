package command_test

import (
	"fmt"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/command"
)

// flow is something that touches more than one stream. Prepare makes the world for it; run is the flow, with a request that
// can be repeated.
type flow struct {
	name    string
	actor   command.Request
	prepare func(w *world) domain.SessionID
	run     func(w *world, s *command.Service, r command.Request, id domain.SessionID) error
}

func flows() []flow {
	accept := func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
		return ignore(s.Accept(w.ctx, r, id))
	}
	offered := func(w *world) domain.SessionID {
		id := w.waiting()
		w.must(w.Offer(w.ctx, asSystem(), id, "ann"))
		return id
	}
	requeuedAndWatched := func(w *world) domain.SessionID {
		id := w.watched("ann", "sue")
		w.must(w.TransferToQueue(w.ctx, asStaff("ann"), id, "billing"))
		return id
	}
	watched := func(w *world) domain.SessionID { return w.watched("ann", "sue") }
	return []flow{
		{"monitor", asStaff("sue"), func(w *world) domain.SessionID { return w.engaged("ann") },
			func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
				return ignore(s.Monitor(w.ctx, r, id, "why"))
			}},
		{"pull", asStaff("ann"), func(w *world) domain.SessionID { return w.waiting() }, accept},
		{"accept an offer", asStaff("ann"), offered, accept},
		{"pull what is offered to another", asStaff("bob"), offered, accept},
		{"take what one watches", asStaff("sue"), requeuedAndWatched, accept},
		{"offer", asSystem(), func(w *world) domain.SessionID { return w.waiting() },
			func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
				return ignore(s.Offer(w.ctx, r, id, "ann"))
			}},
		{"decline", asStaff("ann"), offered, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.Decline(w.ctx, r, id))
		}},
		{"expire an offer", asSystem(), offered, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			v, err := s.Session(w.ctx, id)
			if err != nil {
				return err
			}
			return s.ExpireOffer(w.ctx, r, id, v.State.Offer.ReservationID)
		}},
		{"leave", asStaff("sue"), watched, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.Leave(w.ctx, r, id))
		}},
		{"conclude", asStaff("ann"), watched, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.Conclude(w.ctx, r, id, "solved"))
		}},
		{"the customer leaves", asCustomer(), watched, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.LeaveAsCustomer(w.ctx, r, id))
		}},
		{"transfer to a queue outside the watcher's profile", asStaff("ann"), watched,
			func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
				return ignore(s.TransferToQueue(w.ctx, r, id, "sales"))
			}},
		{"transfer to another agent", asStaff("ann"), watched, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.TransferToStaff(w.ctx, r, id, "bob"))
		}},
		{"transfer to the watcher", asStaff("ann"), watched, func(w *world, s *command.Service, r command.Request, id domain.SessionID) error {
			return ignore(s.TransferToStaff(w.ctx, r, id, "sue"))
		}},
		{"log out while watching", asStaff("sue"), watched, func(w *world, s *command.Service, r command.Request, _ domain.SessionID) error {
			return ignore(s.LogOut(w.ctx, r, "sue"))
		}},
		{"log out while being offered a session", asStaff("ann"), offered,
			func(w *world, s *command.Service, r command.Request, _ domain.SessionID) error {
				return ignore(s.LogOut(w.ctx, r, "ann"))
			}},
	}
}

// staged makes the world of a flow.
func staged(t *testing.T, f flow) (*world, domain.SessionID) {
	t.Helper()
	w := newWorld(t)
	w.onDuty("agent", "ann", "bob")
	w.onDuty("lead", "sue")
	return w, f.prepare(w)
}

// eachFault runs a test for a flow with every one of its appends failing in every way.
func eachFault(t *testing.T, f flow, test func(t *testing.T, failAt int, end fate, undisturbed string)) {
	t.Helper()
	w, id := staged(t, f)
	count := &faults{Store: w.store}
	w.ok(f.run(w, service(t, count, false), f.actor, id))
	if count.appends == 0 {
		t.Fatal("the flow appended nothing")
	}
	w.keep(service(t, w.store, false))
	undisturbed := w.summary(id)
	for k := 1; k <= count.appends; k++ {
		for _, end := range []fate{lost, stored, late} {
			t.Run(fmt.Sprintf("append %d %s", k, end), func(t *testing.T) {
				t.Parallel()
				test(t, k, end, undisturbed)
			})
		}
	}
}

func TestRule12WheneverAProcessDiesNoSlotIsStuckAndNoWatchIsWithoutOne(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			eachFault(t, f, func(t *testing.T, k int, end fate, _ string) {
				w, id := staged(t, f)
				store := &faults{Store: w.store, failAt: k, fate: end, dies: true}
				_ = f.run(w, service(t, store, false), f.actor, id)
				store.flush()
				w.keep(service(t, w.store, false))
				w.sound()
			})
		})
	}
}

func TestWhenAnAppendFailsOnceTheSameRequestAgainCompletesTheFlow(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			eachFault(t, f, func(t *testing.T, k int, end fate, undisturbed string) {
				w, id := staged(t, f)
				store := &faults{Store: w.store, failAt: k, fate: end}
				s := service(t, store, false)
				first := f.run(w, s, f.actor, id)
				store.flush()
				again := f.run(w, s, f.actor, id)
				if again != nil {
					t.Errorf("first %v, then %v", first, again)
				}
				w.checkOnce(f.actor, id)
				w.keep(service(t, w.store, false))
				w.sound()
				if got := w.summary(id); got != undisturbed {
					t.Errorf("the session came to %s, undisturbed to %s", got, undisturbed)
				}
			})
		})
	}
}

// checkOnce demands that the request stands at most once in the session.
func (w *world) checkOnce(r command.Request, id domain.SessionID) {
	w.t.Helper()
	seen := map[string]bool{}
	for _, e := range w.log() {
		if e.SessionID() == id && e.Metadata.CommandID == r.ID.String() {
			if seen[e.Type] {
				w.t.Errorf("%s was appended twice", e.Type)
			}
			seen[e.Type] = true
		}
	}
}

// summary of where a session stands, by its log.
func (w *world) summary(id domain.SessionID) string {
	w.t.Helper()
	v, err := service(w.t, w.store, false).Session(w.ctx, id)
	w.ok(err)
	var watchers []domain.StaffID
	for _, x := range v.State.Watchers {
		watchers = append(watchers, x.ID)
	}
	return fmt.Sprint(v.State.Phase, v.State.Queue.ID, v.State.Agent.ID, v.State.Offer.Agent.ID, watchers)
}
