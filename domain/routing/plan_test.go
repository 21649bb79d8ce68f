package routing_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/routing"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
)

func at(seconds int) time.Time { return time.Date(2026, 3, 4, 9, 0, seconds, 0, time.UTC) }

// site is the picture of routing, through a snapshot before every question, as if the process had been restarted.
type site struct {
	t *testing.T
	s *routing.State
}

func given(t *testing.T) *site {
	t.Helper()
	w := &site{t, routing.NewState()}
	w.profile("billing", func(*profile.Settings) {})
	return w
}

func (w *site) restarted() *routing.State {
	w.t.Helper()
	data, err := json.Marshal(w.s)
	if err != nil {
		w.t.Fatal(err)
	}
	var stored routing.State
	if err := json.Unmarshal(data, &stored); err != nil {
		w.t.Fatal(err)
	}
	w.s = routing.Restore(stored)
	return w.s
}

func (w *site) plan(seconds int) []routing.Offer {
	w.t.Helper()
	return w.restarted().Plan(at(seconds))
}

// offers demands pairs of session and agent.
func (w *site) offers(seconds int, want ...routing.Offer) {
	w.t.Helper()
	if got := w.plan(seconds); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		w.t.Errorf("got %v, want %v", got, want)
	}
}

func (w *site) fact(seconds int, id domain.SessionID, e any) *site {
	routing.Evolve(w.s, routing.Fact{SessionID: id, At: at(seconds), Event: e})
	return w
}

// profile of one queue with its name, two sessions, offers received.
func (w *site) profile(id domain.ProfileID, change func(*profile.Settings)) *site {
	p := profile.Settings{
		Chat: true, MaxSessions: 2, Queues: []domain.QueueID{domain.QueueID(id)}, PullPolicy: profile.FirstDue, ReceiveOffers: true,
	}
	change(&p)
	return w.fact(0, "", profile.ProfileDefined{ProfileID: id, Settings: p})
}

// on is a member who logs in.
func (w *site) on(seconds int, id domain.StaffID, p domain.ProfileID) *site {
	w.fact(0, "", staff.StaffRegistered{StaffID: id, ProfileID: p})
	return w.fact(seconds, "", staff.StaffLoggedIn{StaffID: id, ProfileID: p, Status: staff.Available})
}

// queued is a session that waits.
func (w *site) queued(seconds int, id domain.SessionID, q domain.QueueID) *site {
	ref := session.QueueRef{ID: q, OfferTimeoutMS: 30_000}
	w.fact(seconds, id, session.SessionRequested{SessionID: id, Queue: ref, RequestedAt: at(seconds)})
	return w.fact(seconds, id, session.SessionQueued{Queue: ref, QueuedAt: at(seconds)})
}

func offer(id domain.SessionID, to domain.StaffID) routing.Offer {
	return routing.Offer{SessionID: id, StaffID: to}
}

func TestRule14TheLongestWaitingSessionComesFirst(t *testing.T) {
	given(t).on(0, "ann", "billing").queued(3, "c", "billing").queued(1, "a", "billing").queued(2, "b", "billing").
		offers(10, offer("a", "ann"), offer("b", "ann"))
}

func TestRule14TheAgentWhoHasBeenIdleLongestComesFirst(t *testing.T) {
	w := given(t).on(2, "ann", "billing").on(1, "bob", "billing").queued(3, "a", "billing")
	w.offers(10, offer("a", "bob"))
	w.fact(4, "", staff.SlotReserved{StaffID: "bob", SessionID: "x"}).offers(10, offer("a", "ann"))
	w.fact(5, "", staff.StaffStatusChanged{StaffID: "ann", Status: staff.Available}).offers(10, offer("a", "bob"))
	w.fact(6, "", staff.SlotReleased{StaffID: "bob", SessionID: "x"}).offers(10, offer("a", "ann"))
}

func TestWorkIsSpreadOneSessionARound(t *testing.T) {
	given(t).on(1, "ann", "billing").on(2, "bob", "billing").
		queued(3, "a", "billing").queued(4, "b", "billing").queued(5, "c", "billing").queued(6, "d", "billing").queued(7, "e", "billing").
		offers(10, offer("a", "ann"), offer("b", "bob"), offer("c", "ann"), offer("d", "bob"))
}

func TestRule14ThePolicyOfTheProfileSaysWhichQueueComesFirst(t *testing.T) {
	for policy, want := range map[profile.PullPolicy]domain.SessionID{profile.FirstDue: "old", profile.StrictPriority: "new"} {
		given(t).profile("both", func(p *profile.Settings) {
			p.Queues, p.PullPolicy, p.MaxSessions = []domain.QueueID{"vip", "billing"}, policy, 1
		}).on(0, "ann", "both").queued(1, "old", "billing").queued(2, "new", "vip").offers(10, offer(want, "ann"))
	}
}

func TestRule14StrictPriorityGoesToTheNextQueueWhenTheFirstIsEmpty(t *testing.T) {
	given(t).profile("both", func(p *profile.Settings) {
		p.Queues, p.PullPolicy, p.MaxSessions = []domain.QueueID{"vip", "billing"}, profile.StrictPriority, 1
	}).on(0, "ann", "both").queued(1, "old", "billing").offers(10, offer("old", "ann"))
}

func TestRule14OffersGoOnlyToWhoCanTakeThem(t *testing.T) {
	for name, change := range map[string]func(w *site){
		"who is not available": func(w *site) { w.fact(2, "", staff.StaffStatusChanged{StaffID: "ann", Status: staff.OnBreak}) },
		"who has logged out":   func(w *site) { w.fact(2, "", staff.StaffLoggedOut{StaffID: "ann"}) },
		"who has another profile": func(w *site) {
			w.profile("sales", func(*profile.Settings) {}).fact(2, "", staff.ProfileAssigned{StaffID: "ann", ProfileID: "sales"})
		},
		"whose profile is unknown": func(w *site) { w.fact(2, "", staff.ProfileAssigned{StaffID: "ann", ProfileID: "none"}) },
		"whose profile only pulls": func(w *site) {
			w.fact(2, "", profile.ProfileChanged{ProfileID: "billing", Settings: profile.Settings{
				Chat: true, MaxSessions: 2, Queues: []domain.QueueID{"billing"}}})
		},
		"whose profile has no chat": func(w *site) { w.profile("billing", func(p *profile.Settings) { p.Chat = false }) },
		"who has no idle session": func(w *site) {
			w.fact(2, "", staff.SlotReserved{StaffID: "ann", SessionID: "x"}).fact(2, "", staff.SlotReserved{StaffID: "ann", SessionID: "y"})
		},
		"whose limit was lowered": func(w *site) { w.profile("billing", func(p *profile.Settings) { p.MaxSessions = 0 }) },
		"who watches the session": func(w *site) {
			w.fact(2, "", staff.SlotReserved{StaffID: "ann", SessionID: "a", Purpose: staff.ForMonitoring})
		},
	} {
		t.Run("not to one "+name, func(t *testing.T) {
			w := given(t).on(0, "ann", "billing").queued(1, "a", "billing")
			w.offers(10, offer("a", "ann"))
			change(w)
			w.offers(10)
		})
	}
}

func TestADeclinedSessionIsNotOfferedToTheSameAgentAgain(t *testing.T) {
	w := given(t).on(0, "ann", "billing").queued(1, "a", "billing")
	w.fact(2, "a", session.SessionOffered{Agent: session.StaffRef{ID: "ann"}, ReservationID: "o", ExpiresAt: at(32)}).offers(3)
	w.fact(4, "a", session.OfferDeclined{Agent: session.StaffRef{ID: "ann"}, ReservationID: "o"}).offers(1000)
	w.on(5, "bob", "billing").offers(6, offer("a", "bob"))
	w.fact(7, "a", session.SessionQueued{Queue: session.QueueRef{ID: "billing"}, QueuedAt: at(7)}).offers(8, offer("a", "ann"))
}

func TestAnOfferThatExpiredIsMadeAgainOnlyAfterAWhile(t *testing.T) {
	w := given(t).on(0, "ann", "billing").queued(1, "a", "billing")
	w.fact(2, "a", session.SessionOffered{Agent: session.StaffRef{ID: "ann"}, ReservationID: "o", ExpiresAt: at(32)})
	w.fact(32, "a", session.OfferExpired{Agent: session.StaffRef{ID: "ann"}, ReservationID: "o"}).offers(61)
	w.offers(62, offer("a", "ann"))
}

func TestWhatWasOfferedIsNotOfferedAgainBeforeItsEventsComeBack(t *testing.T) {
	w := given(t).on(0, "ann", "billing").on(1, "bob", "billing").queued(2, "a", "billing").queued(3, "b", "billing")
	w.s.Assume(offer("a", "ann"))
	w.offers(10, offer("b", "ann"))
	if got := w.s.Due(at(1000)); len(got) != 0 {
		t.Errorf("an offer whose end is not known is over: %v", got)
	}
	w.s.Assume(offer("no such session", "nobody"))
	w.offers(10, offer("b", "ann"))
}

func TestOffersAndWrapUpsAreOverInTime(t *testing.T) {
	until := at(60)
	w := given(t).queued(1, "a", "billing").queued(1, "b", "billing").queued(1, "c", "billing")
	w.fact(2, "a", session.SessionOffered{Agent: session.StaffRef{ID: "ann"}, ReservationID: "o", ExpiresAt: at(32)})
	w.fact(3, "b", session.AgentJoined{Agent: session.StaffRef{ID: "bob"}})
	w.fact(30, "b", session.SessionConcluded{WrapUpUntil: &until})
	for seconds, want := range map[int][]routing.Command{
		31: nil, 32: {routing.Withdraw{SessionID: "a", ReservationID: "o"}},
		60: {routing.EndWrapUp{SessionID: "b"}, routing.Withdraw{SessionID: "a", ReservationID: "o"}},
	} {
		got := w.restarted().Due(at(seconds))
		slices.SortFunc(got, func(a, _ routing.Command) int {
			if _, ok := a.(routing.EndWrapUp); ok {
				return -1
			}
			return 1
		})
		if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("after %d s: got %+v, want %+v", seconds, got, want)
		}
	}
}

func TestWhatHasEndedOrIsServedIsOfferedToNobodyAndForgotten(t *testing.T) {
	w := given(t).on(0, "ann", "billing")
	for id, e := range map[domain.SessionID]session.Event{
		"a": session.SessionAbandoned{}, "b": session.SessionConcluded{}, "c": session.AgentJoined{Agent: session.StaffRef{ID: "bob"}},
	} {
		w.queued(1, id, "billing").fact(2, id, e)
	}
	until := at(9)
	w.queued(1, "d", "billing").fact(2, "d", session.SessionConcluded{WrapUpUntil: &until}).fact(3, "d", session.WrapUpCompleted{})
	w.fact(4, "unknown", session.SessionOffered{})
	w.offers(10)
	if len(w.s.Chats) != 1 {
		t.Errorf("still known: %v", w.s.Chats)
	}
}

func TestATransferToAQueueWaitsThereFromThenOn(t *testing.T) {
	w := given(t).profile("sales", func(*profile.Settings) {}).on(0, "ann", "billing").on(0, "sam", "sales")
	w.queued(1, "a", "billing").queued(5, "b", "sales")
	w.fact(6, "a", session.AgentJoined{Agent: session.StaffRef{ID: "ann"}}).fact(7, "a", session.SessionTransferred{})
	w.fact(7, "a", session.SessionQueued{Queue: session.QueueRef{ID: "sales"}, QueuedAt: at(7)})
	w.offers(10, offer("b", "sam"), offer("a", "sam"))
}
