// Package slots decides how the two sides of a slot are kept in step: the reservation on the staff stream, where the limit
// is decided, and the part that the staff member plays in the session, which follows (rule 12). It says what to do about a
// reservation whose session event never came, a slot whose session is over, and a watch that has lost its ground. It
// carries nothing out.
package slots

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// Claim returns the slot that a session needs a staff member to hold, if it does.
func Claim(s session.State, id domain.StaffID) (staff.Slot, bool) {
	if s.ServedBy(id) {
		return staff.Slot{SessionID: s.ID, ReservationID: s.Agent.ReservationID, Purpose: staff.ForEngagement}, true
	}
	if s.OfferedTo(id) {
		return staff.Slot{SessionID: s.ID, ReservationID: s.Offer.ReservationID, Purpose: staff.ForOffer}, true
	}
	if w, ok := s.Watcher(id); ok {
		return staff.Slot{SessionID: s.ID, ReservationID: w.ReservationID, Purpose: staff.ForMonitoring}, true
	}
	return staff.Slot{}, false
}

// Settle compares the slot that a staff member holds for a session with what the session says, and returns the command
// that brings the staff stream in line; nil when it is. The session is right: who is in it has it in use, who is not has
// not. It must not be asked about a reservation whose session event may still be on its way.
func Settle(s session.State, m staff.State, id domain.SessionID) staff.Command {
	claim, claimed := Claim(s, m.ID)
	held, holds := m.Slot(id)
	switch {
	case claimed && (!holds || held != claim):
		return staff.Adopt(claim)
	case !claimed && holds:
		return staff.Release{SessionID: id, ReservationID: held.ReservationID}
	}
	return nil
}

// Ended is a reservation that an event of a session has brought to its end.
type Ended struct {
	StaffID       domain.StaffID
	ReservationID string
}

// EndedBy names the reservation that a session event brings to its end.
func EndedBy(e session.Event) (Ended, bool) {
	switch e := e.(type) {
	case session.OfferDeclined:
		return Ended{e.Agent.ID, e.ReservationID}, true
	case session.OfferExpired:
		return Ended{e.Agent.ID, e.ReservationID}, true
	case session.SupervisorStoppedMonitoring:
		return Ended{e.Supervisor.ID, e.ReservationID}, true
	case session.SessionTransferred:
		return Ended{e.From.ID, e.FromReservationID}, e.From.ID != ""
	case session.SessionConcluded:
		return Ended{e.Agent.ID, e.ReservationID}, e.Agent.ID != ""
	default:
		return Ended{}, false
	}
}

// Begun is a part in a session that needs a reservation.
type Begun struct {
	StaffID domain.StaffID
	Slot    staff.Slot
}

// BegunBy names the part that a session event begins.
func BegunBy(id domain.SessionID, e session.Event) (Begun, bool) {
	switch e := e.(type) {
	case session.SessionOffered:
		return Begun{e.Agent.ID, staff.Slot{SessionID: id, ReservationID: e.ReservationID, Purpose: staff.ForOffer}}, true
	case session.AgentJoined:
		return Begun{e.Agent.ID, staff.Slot{SessionID: id, ReservationID: e.ReservationID, Purpose: staff.ForEngagement}}, true
	case session.SupervisorStartedMonitoring:
		return Begun{e.Supervisor.ID, staff.Slot{SessionID: id, ReservationID: e.ReservationID, Purpose: staff.ForMonitoring}}, true
	default:
		return Begun{}, false
	}
}
