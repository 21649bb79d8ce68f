package slots_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/slots"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// fact is an event so many seconds after the start, of the session chat when it is a session's.
func fact(seconds int, e any) slots.Fact {
	f := slots.Fact{At: at(seconds), Event: e}
	if _, ok := e.(session.Event); ok {
		f.SessionID = chat
	}
	return f
}

// given is the keeper after some facts, through a snapshot, as if it had been restarted.
func given(t *testing.T, facts ...slots.Fact) *slots.State {
	t.Helper()
	s := slots.NewState()
	for _, f := range facts {
		slots.Evolve(s, f)
	}
	data, err := json.Marshal(s.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var stored slots.Snapshot
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	return slots.Restore(stored)
}

func reserved(seconds int, reservation string, p staff.Purpose) slots.Fact {
	return fact(seconds, staff.SlotReserved{StaffID: "sue", SessionID: chat, ReservationID: reservation, Purpose: p})
}

func released(seconds int, reservation string) slots.Fact {
	return fact(seconds, staff.SlotReleased{StaffID: "sue", SessionID: chat, ReservationID: reservation})
}

func watching(seconds int, reservation string) slots.Fact {
	return fact(seconds, session.SupervisorStartedMonitoring{Supervisor: ref("sue"), ReservationID: reservation})
}

func stopped(seconds int, reservation string) slots.Fact {
	return fact(seconds, session.SupervisorStoppedMonitoring{Supervisor: ref("sue"), ReservationID: reservation})
}

func joined(seconds int, reservation string) slots.Fact {
	return fact(seconds, session.AgentJoined{Agent: ref("sue"), ReservationID: reservation})
}

func offered(seconds int, reservation string) slots.Fact {
	return fact(seconds, session.SessionOffered{Agent: ref("sue"), ReservationID: reservation})
}

var (
	compare = slots.Compare{SessionID: chat, StaffID: "sue"}
	recheck = slots.Recheck{SessionID: chat, StaffID: "sue"}
)

func giveBack(reservation string) slots.Return {
	return slots.Return{SessionID: chat, StaffID: "sue", ReservationID: reservation}
}

func TestWhatIsOverdue(t *testing.T) {
	for name, c := range map[string]struct {
		facts       []slots.Fact
		early, late slots.Command // 2 s after the last fact, and after the grace
	}{
		"nothing that is held and claimed":          {[]slots.Fact{reserved(0, "w", staff.ForMonitoring), watching(1, "w")}, nil, nil},
		"nothing that was released":                 {[]slots.Fact{reserved(0, "w", staff.ForMonitoring), watching(1, "w"), stopped(2, "w"), released(3, "w")}, nil, nil},
		"a reservation that was never claimed":      {[]slots.Fact{reserved(0, "w", staff.ForMonitoring)}, nil, compare},
		"a slot whose part is over":                 {[]slots.Fact{reserved(0, "w", staff.ForMonitoring), watching(1, "w"), stopped(2, "w")}, giveBack("w"), giveBack("w")},
		"a watch without a slot":                    {[]slots.Fact{watching(0, "w")}, nil, recheck},
		"an engagement without a slot":              {[]slots.Fact{joined(0, "e")}, nil, compare},
		"an offer without a slot":                   {[]slots.Fact{offered(0, "o")}, nil, compare},
		"a watch whose slot was released":           {[]slots.Fact{reserved(0, "w", staff.ForMonitoring), released(1, "w"), watching(2, "w")}, nil, recheck},
		"nothing of what a repair put right":        {[]slots.Fact{joined(0, "e"), reserved(20, "e", staff.ForEngagement)}, nil, nil},
		"nothing claimed late that is over":         {[]slots.Fact{watching(0, "w"), stopped(1, "w")}, nil, nil},
		"nothing of an offer that was accepted":     {[]slots.Fact{reserved(0, "o", staff.ForOffer), offered(1, "o"), reserved(2, "e", staff.ForEngagement), joined(3, "e")}, nil, nil},
		"an offer whose acceptance never came":      {[]slots.Fact{reserved(0, "o", staff.ForOffer), offered(1, "o"), reserved(2, "e", staff.ForEngagement)}, nil, compare},
		"nothing of that when it was put right":     {[]slots.Fact{reserved(0, "o", staff.ForOffer), offered(1, "o"), reserved(2, "e", staff.ForEngagement), reserved(20, "o", staff.ForOffer)}, nil, nil},
		"a slot whose acceptance came to nothing":   {[]slots.Fact{reserved(0, "o", staff.ForOffer), offered(1, "o"), reserved(2, "e", staff.ForEngagement), fact(3, session.OfferExpired{Agent: ref("sue"), ReservationID: "o"})}, nil, compare},
		"a later reservation beside an old claim":   {[]slots.Fact{joined(0, "old"), reserved(1, "new", staff.ForMonitoring), fact(2, session.SessionConcluded{Agent: ref("sue"), ReservationID: "old"})}, nil, compare},
		"a slot of a session handed on":             {[]slots.Fact{reserved(0, "e", staff.ForEngagement), joined(1, "e"), fact(2, session.SessionTransferred{From: ref("sue"), FromReservationID: "e"})}, giveBack("e"), giveBack("e")},
		"nothing of a watcher who became the agent": {[]slots.Fact{reserved(0, "w", staff.ForMonitoring), watching(1, "w"), reserved(2, "e", staff.ForEngagement), stopped(3, "w"), joined(3, "e")}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, last := given(t, c.facts...), c.facts[len(c.facts)-1].At
			demand(t, "at once", s.Due(last.Add(999*time.Millisecond), time.Time{}), nil)
			demand(t, "early", s.Due(last.Add(2*time.Second), time.Time{}), c.early)
			demand(t, "late", s.Due(last.Add(slots.Grace), time.Time{}), c.late)
			demand(t, "left by a process that is gone", s.Due(last, last.Add(time.Nanosecond)), c.late)
		})
	}
}

func demand(t *testing.T, when string, got []slots.Command, want ...slots.Command) {
	t.Helper()
	if want[0] == nil {
		want = nil
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", when, got, want)
	}
}

func TestWhatAFactDemands(t *testing.T) {
	registered := fact(0, staff.StaffRegistered{StaffID: "sue", ProfileID: "lead"})
	watch := []slots.Fact{registered, reserved(1, "w", staff.ForMonitoring), watching(2, "w")}
	offer := []slots.Fact{registered, reserved(1, "o", staff.ForOffer), offered(2, "o")}
	serve := []slots.Fact{registered, reserved(1, "e", staff.ForEngagement), joined(2, "e")}
	for name, c := range map[string]struct {
		facts []slots.Fact
		event any
		want  slots.Command
	}{
		"a watch that begins":                       {watch[:2], session.SupervisorStartedMonitoring{Supervisor: ref("sue")}, recheck},
		"an offer that is made":                     {offer[:2], session.SessionOffered{Agent: ref("sue")}, recheck},
		"a transfer of what is watched":             {watch, session.SessionTransferred{}, recheck},
		"a new place in a queue":                    {watch, session.SessionQueued{}, recheck},
		"a transfer of what is served":              {serve, session.SessionTransferred{}, nil},
		"a transfer of what is offered":             {offer, session.SessionTransferred{}, nil},
		"a watcher who logs out":                    {watch, staff.StaffLoggedOut{StaffID: "sue"}, recheck},
		"one who is offered something and logs out": {offer, staff.StaffLoggedOut{StaffID: "sue"}, recheck},
		"an agent who logs out":                     {serve, staff.StaffLoggedOut{StaffID: "sue"}, nil},
		"another who logs out":                      {watch, staff.StaffLoggedOut{StaffID: "sam"}, nil},
		"another profile":                           {watch, staff.ProfileAssigned{StaffID: "sue", ProfileID: "agent"}, recheck},
		"another registration":                      {watch, staff.StaffRegistered{StaffID: "sue", ProfileID: "agent"}, recheck},
		"a change of the watcher's profile":         {watch, profile.ProfileChanged{ProfileID: "lead"}, recheck},
		"a change of another profile":               {watch, profile.ProfileChanged{ProfileID: "agent"}, nil},
		"a status":                                  {watch, staff.StaffStatusChanged{StaffID: "sue"}, nil},
		"a message":                                 {watch, session.PublicMessageSent{}, nil},
	} {
		demand(t, name, slots.React(given(t, c.facts...), fact(9, c.event)), c.want)
	}
	moved := append(watch, fact(3, staff.ProfileAssigned{StaffID: "sue", ProfileID: "other"}))
	demand(t, "the profile that one had before", slots.React(given(t, moved...), fact(9, profile.ProfileChanged{ProfileID: "lead"})), nil)
}

func TestAChangeOfAProfileRechecksEveryWatchOfEveryMemberInOrder(t *testing.T) {
	s := slots.NewState()
	for _, who := range []domain.StaffID{"sue", "sam"} {
		slots.Evolve(s, fact(0, staff.StaffRegistered{StaffID: who, ProfileID: "lead"}))
		for _, id := range []domain.SessionID{"b", "a"} {
			slots.Evolve(s, fact(1, staff.SlotReserved{StaffID: who, SessionID: id, ReservationID: "w", Purpose: staff.ForMonitoring}))
		}
	}
	got := slots.React(s, fact(2, profile.ProfileChanged{ProfileID: "lead"}))
	want := []slots.Command{
		slots.Recheck{SessionID: "a", StaffID: "sam"}, slots.Recheck{SessionID: "b", StaffID: "sam"},
		slots.Recheck{SessionID: "a", StaffID: "sue"}, slots.Recheck{SessionID: "b", StaffID: "sue"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestTheKeeperRemembersOnlyWhatIsInUse(t *testing.T) {
	s := given(t, reserved(0, "w", staff.ForMonitoring), watching(1, "w"), stopped(2, "w"), released(3, "w"),
		reserved(4, "e", staff.ForEngagement), joined(5, "e"), released(6, "e"),
		fact(7, session.SessionConcluded{Agent: ref("sue"), ReservationID: "e"}))
	if got := s.Snapshot().Holdings; len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}
