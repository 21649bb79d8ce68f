package staff_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/staff"
)

type event = staff.Event

func given(t testing.TB, histories ...[]event) domaintest.Scenario[staff.State, staff.Command, event] {
	t.Helper()
	return domaintest.Decider[staff.State, staff.Command, event]{Decide: staff.Decide, Evolve: staff.Evolve}.
		Given(t, slices.Concat(histories...)...)
}

func registered() []event {
	return []event{staff.StaffRegistered{StaffID: "sue", Name: "Sue", ProfileID: "lead"}}
}

func onDuty() []event {
	return append(registered(), staff.StaffLoggedIn{StaffID: "sue", ProfileID: "lead", Status: staff.Available})
}

func reservedFor(p staff.Purpose, sessions ...domain.SessionID) []event {
	var events []event
	for _, id := range sessions {
		events = append(events, staff.SlotReserved{StaffID: "sue", SessionID: id, ReservationID: "r-" + string(id), Purpose: p})
	}
	return events
}

func reserve(id domain.SessionID, p staff.Purpose, limit int) staff.Reserve {
	return staff.Reserve{SessionID: id, ReservationID: "r-" + string(id), Purpose: p, MaxSessions: limit}
}

func TestWhoIsRegisteredHasANameAndAProfile(t *testing.T) {
	sue := staff.Register{StaffID: "sue", Name: "Sue", ProfileID: "lead", ProfileExists: true}
	given(t).When(sue).Then(registered()...).When(sue).ThenNothing()

	renamed, moved := sue, sue
	renamed.Name, moved.ProfileID = "Susan", "agent"
	given(t, registered()).When(renamed).Then(staff.StaffRegistered{StaffID: "sue", Name: "Susan", ProfileID: "lead"})
	given(t, registered()).When(moved).Then(staff.ProfileAssigned{StaffID: "sue", ProfileID: "agent"})
}

func TestRegistrationIsRefused(t *testing.T) {
	good := staff.Register{StaffID: "sue", Name: "Sue", ProfileID: "lead", ProfileExists: true}
	id, blank, long, profile := good, good, good, good
	id.StaffID, blank.Name, long.Name, profile.ProfileExists = "Sue", "", strings.Repeat("x", 257), false
	given(t).When(id).ThenRejected(domain.InvalidRequest)
	given(t).When(blank).ThenRejected(domain.InvalidRequest)
	given(t).When(long).ThenRejected(domain.TextTooLarge)
	given(t).When(profile).ThenRejected(domain.UnknownProfile)
}

func TestNothingCanBeDoneToWhoIsNotRegistered(t *testing.T) {
	commands := []staff.Command{
		staff.LogIn{Chat: true, Queues: 1}, staff.LogOut{}, staff.SetStatus{Status: staff.OnBreak}, reserve("s1", staff.ForMonitoring, 1),
		staff.Adopt{SessionID: "s1"}, staff.Release{SessionID: "s1"},
	}
	domaintest.CheckComplete(t, ".", "staffCommand", append(commands, staff.Register{}))
	for _, c := range commands {
		given(t).When(c).ThenRejected(domain.Missing)
	}
}

func TestRule2LoggingInNeedsAProfileWithChatAndAQueue(t *testing.T) {
	given(t, registered()).When(staff.LogIn{Chat: true}).ThenRejected(domain.ProfileHasNoQueue)
	given(t, registered()).When(staff.LogIn{Queues: 1}).ThenRejected(domain.NotPermitted)
	given(t, registered()).When(staff.LogIn{Chat: true, Queues: 1, Status: "asleep"}).ThenRejected(domain.InvalidRequest)
	in := given(t, registered()).When(staff.LogIn{Chat: true, Queues: 1}).Then(onDuty()[1])
	in.When(staff.LogIn{Chat: true, Queues: 1}).ThenNothing()
	in.When(staff.LogIn{Chat: true, Queues: 1, Status: staff.OnBreak}).
		Then(staff.StaffStatusChanged{StaffID: "sue", Status: staff.OnBreak}).
		When(staff.LogIn{Chat: true, Queues: 1}).ThenNothing()
}

func TestAStatusIsOneOfFourAndForWhoIsLoggedIn(t *testing.T) {
	given(t, onDuty()).When(staff.SetStatus{Status: "asleep"}).ThenRejected(domain.InvalidRequest)
	given(t, onDuty()).When(staff.SetStatus{Status: staff.OnBreak, Reason: strings.Repeat("x", 257)}).ThenRejected(domain.TextTooLarge)
	given(t, registered()).When(staff.SetStatus{Status: staff.OnBreak}).ThenRejected(domain.NotLoggedIn)
	given(t, onDuty()).When(staff.SetStatus{Status: staff.Available}).ThenNothing()
	for _, s := range []staff.Status{staff.Unavailable, staff.InMeeting, staff.OnBreak} {
		given(t, onDuty()).When(staff.SetStatus{Status: s, Reason: "why"}).
			Then(staff.StaffStatusChanged{StaffID: "sue", Status: s, Reason: "why"})
		if s.Type() != staff.TypeUnavailable {
			t.Errorf("%s is of type %s", s, s.Type())
		}
	}
	if staff.Available.Type() != staff.TypeAvailable {
		t.Error("available is not of its own type")
	}
}

func TestRule3MonitoringWorksInEveryStatus(t *testing.T) {
	given(t, onDuty(), []event{staff.StaffStatusChanged{StaffID: "sue", Status: staff.InMeeting}}).
		When(reserve("s1", staff.ForMonitoring, 1)).Then(reservedFor(staff.ForMonitoring, "s1")...)
}

func TestRule12ASlotIsReservedWhileASessionIsIdle(t *testing.T) {
	given(t, registered()).When(reserve("s1", staff.ForMonitoring, 1)).ThenRejected(domain.NotLoggedIn)
	given(t, onDuty()).When(reserve("s1", staff.ForMonitoring, 0)).ThenRejected(domain.NoIdleSession)
	one := given(t, onDuty()).When(reserve("s1", staff.ForMonitoring, 2)).Then(reservedFor(staff.ForMonitoring, "s1")...)
	two := one.When(reserve("s2", staff.ForEngagement, 2)).Then(reservedFor(staff.ForEngagement, "s2")...)
	r := two.When(reserve("s3", staff.ForOffer, 2)).ThenRejected(domain.NoIdleSession)
	if r.Data["sessions_in_use"] != 2 || r.Data["max_sessions"] != 2 || r.Data["idle_sessions"] != 0 {
		t.Errorf("the refusal does not tell the numbers: %v", r.Data)
	}
	two.When(staff.Release{SessionID: "s1", ReservationID: "r-s1"}).
		Then(staff.SlotReleased{StaffID: "sue", SessionID: "s1", ReservationID: "r-s1"}).
		When(reserve("s3", staff.ForOffer, 2)).Then(reservedFor(staff.ForOffer, "s3")...)
}

func TestRule13RaisingTheLimitCountsAtOnceAndLoweringItEndsNothingAndAdmitsNothing(t *testing.T) {
	full := given(t, onDuty(), reservedFor(staff.ForMonitoring, "s1", "s2"))
	full.When(reserve("s3", staff.ForMonitoring, 2)).ThenRejected(domain.NoIdleSession)
	full.When(reserve("s3", staff.ForMonitoring, 3)).Then(reservedFor(staff.ForMonitoring, "s3")...)
	full.When(reserve("s3", staff.ForMonitoring, 1)).ThenRejected(domain.NoIdleSession)
	if full.State.Idle(1) != 0 || len(full.State.Slots) != 2 {
		t.Errorf("idle %d, slots %v", full.State.Idle(1), full.State.Slots)
	}
}

func TestRule6OneSessionTakesOneSlotWhateverItIsHeldFor(t *testing.T) {
	offered := given(t, onDuty(), reservedFor(staff.ForOffer, "s1"))
	c := reserve("s1", staff.ForEngagement, 1)
	c.ReservationID = "another"
	accepted := offered.When(c).Then(
		staff.SlotReserved{StaffID: "sue", SessionID: "s1", ReservationID: "another", Purpose: staff.ForEngagement})
	if len(accepted.State.Slots) != 1 {
		t.Errorf("slots: %v", accepted.State.Slots)
	}
	accepted.When(staff.Release{SessionID: "s1", ReservationID: "r-s1"}).ThenNothing()
}

func TestAReservationThatIsHeldIsNotMadeTwice(t *testing.T) {
	held := given(t, onDuty(), reservedFor(staff.ForMonitoring, "s1"))
	held.When(reserve("s1", staff.ForMonitoring, 1)).ThenNothing()
	again := reserve("s1", staff.ForMonitoring, 1)
	again.ReservationID = "another"
	held.When(again).ThenRejected(domain.AlreadyMonitoring)
}

func TestReleasingWhatIsNotHeldChangesNothing(t *testing.T) {
	given(t, onDuty()).When(staff.Release{SessionID: "s1", ReservationID: "r-s1"}).ThenNothing()
	given(t, onDuty(), reservedFor(staff.ForMonitoring, "s1")).When(staff.Release{SessionID: "s1", ReservationID: "old"}).ThenNothing()
}

func TestASlotOfASessionInUseIsAdoptedWhateverTheLimitAndTheDuty(t *testing.T) {
	adopt := staff.Adopt{SessionID: "s9", ReservationID: "r-s9", Purpose: staff.ForEngagement}
	for _, history := range [][]event{registered(), append(onDuty(), reservedFor(staff.ForMonitoring, "s1", "s2")...)} {
		given(t, history).When(adopt).Then(reservedFor(staff.ForEngagement, "s9")...).When(adopt).ThenNothing()
	}
}

func TestRule15WhoHasOpenSessionsCannotLogOut(t *testing.T) {
	r := given(t, onDuty(), reservedFor(staff.ForEngagement, "s1"), reservedFor(staff.ForMonitoring, "s2")).
		When(staff.LogOut{}).ThenRejected(domain.SessionsStillOpen)
	if r.Data["open_sessions"] != 1 {
		t.Errorf("the refusal does not tell how many: %v", r.Data)
	}
}

func TestRule11WhoWatchesOrIsOfferedSomethingCanLogOut(t *testing.T) {
	out := staff.StaffLoggedOut{StaffID: "sue"}
	left := given(t, onDuty(), reservedFor(staff.ForMonitoring, "s1"), reservedFor(staff.ForOffer, "s2")).When(staff.LogOut{}).Then(out)
	left.When(staff.LogOut{}).ThenRejected(domain.NotLoggedIn)
	left.When(reserve("s3", staff.ForMonitoring, 9)).ThenRejected(domain.NotLoggedIn)
	if len(left.State.Slots) != 2 || left.State.Status != "" {
		t.Errorf("the slots go with the monitorings, not with the duty: %+v", left.State)
	}
}

func TestEveryEventIsTakenIntoTheState(t *testing.T) {
	events := []event{
		staff.StaffRegistered{}, staff.ProfileAssigned{}, staff.StaffLoggedIn{}, staff.StaffLoggedOut{}, staff.StaffStatusChanged{},
		staff.SlotReserved{}, staff.SlotReleased{},
	}
	domaintest.CheckComplete(t, ".", "staffEvent", events)
	for _, e := range events {
		s := given(t, onDuty(), []event{staff.SlotReserved{StaffID: "sue", SessionID: "x.SessionID"}}).State
		if next := given(t, onDuty(), []event{staff.SlotReserved{StaffID: "sue", SessionID: "x.SessionID"}, domaintest.Filled(e, "x")}).State; equal(s, next) {
			t.Errorf("%T changes nothing", e)
		}
	}
}

func equal(a, b staff.State) bool {
	same := slices.Equal(a.Slots, b.Slots)
	a.Slots, b.Slots = nil, nil
	return same && a.ID == b.ID && a.Name == b.Name && a.ProfileID == b.ProfileID && a.LoggedIn == b.LoggedIn && a.Status == b.Status
}
