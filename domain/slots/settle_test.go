package slots_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/slots"
	"github.com/chatwatch/chatwatch/domain/staff"
)

const chat = domain.SessionID("chat")

func ref(id domain.StaffID) session.StaffRef { return session.StaffRef{ID: id, Name: "N"} }

func at(seconds int) time.Time { return time.Date(2026, 3, 4, 9, 0, seconds, 0, time.UTC) }

func slot(reservation string, p staff.Purpose) staff.Slot {
	return staff.Slot{SessionID: chat, ReservationID: reservation, Purpose: p}
}

// parts are what sue can be in the session: the history, and the slot that it needs.
func parts() map[string]struct {
	history []session.Event
	claim   staff.Slot
} {
	requested := session.SessionRequested{SessionID: chat, RequestedAt: at(0)}
	served := session.AgentJoined{Agent: ref("ann"), ReservationID: "a"}
	watched := session.SupervisorStartedMonitoring{Supervisor: ref("sue"), ReservationID: "w"}
	return map[string]struct {
		history []session.Event
		claim   staff.Slot
	}{
		"nothing":    {[]session.Event{requested, served}, staff.Slot{}},
		"no session": {nil, staff.Slot{}},
		"offered":    {[]session.Event{requested, session.SessionOffered{Agent: ref("sue"), ReservationID: "o"}}, slot("o", staff.ForOffer)},
		"agent":      {[]session.Event{requested, session.AgentJoined{Agent: ref("sue"), ReservationID: "e"}}, slot("e", staff.ForEngagement)},
		"watching":   {[]session.Event{requested, served, watched}, slot("w", staff.ForMonitoring)},
		"joined":     {[]session.Event{requested, served, watched, session.SupervisorJoined{Supervisor: ref("sue")}}, slot("w", staff.ForMonitoring)},
		"over": {[]session.Event{requested, session.AgentJoined{Agent: ref("sue"), ReservationID: "e"},
			session.SessionConcluded{Agent: ref("sue"), ReservationID: "e"}}, staff.Slot{}},
	}
}

func fold(history []session.Event) session.State {
	var s session.State
	for _, e := range history {
		s = session.Evolve(s, e)
	}
	return s
}

func TestASessionClaimsTheSlotOfWhoeverIsInIt(t *testing.T) {
	for name, c := range parts() {
		got, claimed := slots.Claim(fold(c.history), "sue")
		if got != c.claim || claimed != (c.claim != staff.Slot{}) {
			t.Errorf("%s: %+v, %v", name, got, claimed)
		}
		if _, claimed := slots.Claim(fold(c.history), "bob"); claimed {
			t.Errorf("%s: bob, who is not in it, has a claim", name)
		}
	}
}

func TestTheSessionIsRightAboutWhatIsInUse(t *testing.T) {
	held := []staff.Slot{{}}
	for _, p := range []staff.Purpose{staff.ForOffer, staff.ForEngagement, staff.ForMonitoring} {
		for _, r := range []string{"o", "e", "w", "another"} {
			held = append(held, slot(r, p))
		}
	}
	for name, c := range parts() {
		s := fold(c.history)
		for _, h := range held {
			m := staff.State{ID: "sue", Registered: true, Slots: []staff.Slot{{SessionID: "elsewhere", ReservationID: "x"}}}
			if h != (staff.Slot{}) {
				m.Slots = append(m.Slots, h)
			}
			var want staff.Command
			switch {
			case c.claim == h:
			case c.claim == staff.Slot{}:
				want = staff.Release{SessionID: chat, ReservationID: h.ReservationID}
			default:
				want = staff.Adopt(c.claim)
			}
			got := slots.Settle(s, m, chat)
			if got != want {
				t.Errorf("%s, holding %+v: got %+v, want %+v", name, h, got, want)
			}
			if got == nil {
				continue
			}
			m = decided(t, m, got)
			if again := slots.Settle(s, m, chat); again != nil || len(m.Slots) > 2 || m.Slots[0].SessionID != "elsewhere" {
				t.Errorf("%s, holding %+v: not settled by %+v: %+v", name, h, got, m.Slots)
			}
		}
	}
}

func decided(t *testing.T, m staff.State, c staff.Command) staff.State {
	t.Helper()
	events, err := staff.Decide(m, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		m = staff.Evolve(m, e)
	}
	return m
}

func TestTheEventsThatBeginAndEndAPartAreThese(t *testing.T) {
	begins := map[session.Event]string{
		session.SessionOffered{Agent: ref("sue"), ReservationID: "r"}:                   "sue offer",
		session.AgentJoined{Agent: ref("sue"), ReservationID: "r"}:                      "sue engagement",
		session.SupervisorStartedMonitoring{Supervisor: ref("sue"), ReservationID: "r"}: "sue monitoring",
		session.SupervisorJoined{Supervisor: ref("sue")}:                                "",
	}
	for e, want := range begins {
		b, ok := slots.BegunBy(chat, e)
		if got := fmt.Sprintf("%s %s", b.StaffID, b.Slot.Purpose); ok != (want != "") || ok && got != want {
			t.Errorf("%T begins %q", e, got)
		}
	}
	ends := map[session.Event]bool{
		session.OfferDeclined{Agent: ref("sue"), ReservationID: "r"}:                    true,
		session.OfferExpired{Agent: ref("sue"), ReservationID: "r"}:                     true,
		session.SupervisorStoppedMonitoring{Supervisor: ref("sue"), ReservationID: "r"}: true,
		session.SessionTransferred{From: ref("sue"), FromReservationID: "r"}:            true,
		session.SessionTransferred{To: ref("sue")}:                                      false,
		session.SessionConcluded{Agent: ref("sue"), ReservationID: "r"}:                 true,
		session.SessionConcluded{}:                                                      false,
		session.ParticipantLeft{Participant: session.Sender{ID: "sue"}}:                 false,
		session.WrapUpCompleted{Agent: ref("sue")}:                                      false,
	}
	for e, want := range ends {
		got, ok := slots.EndedBy(e)
		if ok != want || ok && got != (slots.Ended{StaffID: "sue", ReservationID: "r"}) {
			t.Errorf("%T ends %+v, %v", e, got, ok)
		}
	}
}
