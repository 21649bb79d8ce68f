// Package staff decides a staff member's duty and slots: logging in and out, status, and the reservation of idle sessions.
// It is the one place where the limit of rule 12 is decided; what happens inside a session is decided by package session,
// which follows.
package staff

import (
	"slices"

	"github.com/chatwatch/chatwatch/domain"
)

// Status of a member who is logged in.
type Status string

// Statuses. Offers come only while Available; monitoring works in every one.
const (
	Available   Status = "available"
	Unavailable Status = "unavailable"
	InMeeting   Status = "in_meeting"
	OnBreak     Status = "on_break"
)

// StatusType groups the statuses into those that receive offers and those that do not.
type StatusType string

// Types of status.
const (
	TypeAvailable   StatusType = "available"
	TypeUnavailable StatusType = "unavailable"
)

// Type of the status.
func (s Status) Type() StatusType {
	if s == Available {
		return TypeAvailable
	}
	return TypeUnavailable
}

// Valid tells whether the status is one of the four.
func (s Status) Valid() bool {
	return slices.Contains([]Status{Available, Unavailable, InMeeting, OnBreak}, s)
}

// Purpose is what a slot is held for.
type Purpose string

// Purposes of a slot. Joining a session that one monitors takes no second slot.
const (
	ForOffer      Purpose = "offer"
	ForEngagement Purpose = "engagement"
	ForMonitoring Purpose = "monitoring"
)

// Slot is one session in use.
type Slot struct {
	SessionID     domain.SessionID `json:"session_id"`
	ReservationID string           `json:"reservation_id"`
	Purpose       Purpose          `json:"purpose"`
}

// State of a staff member. The zero value is one whom nobody registered.
type State struct {
	ID         domain.StaffID
	Registered bool
	Name       string
	ProfileID  domain.ProfileID
	LoggedIn   bool
	Status     Status
	// Slots in use, in the order of their reservation. At most one a session.
	Slots []Slot
}

// Slot returns the slot held for a session.
func (s State) Slot(id domain.SessionID) (Slot, bool) {
	i := slices.IndexFunc(s.Slots, func(x Slot) bool { return x.SessionID == id })
	if i < 0 {
		return Slot{}, false
	}
	return s.Slots[i], true
}

// Idle is the number of sessions that can still be taken under a limit, never negative (rule 13).
func (s State) Idle(maxSessions int) int { return max(0, maxSessions-len(s.Slots)) }

// Evolve returns s after e.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case StaffRegistered:
		s.ID, s.Registered, s.Name, s.ProfileID = e.StaffID, true, e.Name, e.ProfileID
	case ProfileAssigned:
		s.ProfileID = e.ProfileID
	case StaffLoggedIn:
		s.LoggedIn, s.Status = true, e.Status
	case StaffLoggedOut:
		s.LoggedIn, s.Status = false, ""
	case StaffStatusChanged:
		s.Status = e.Status
	case SlotReserved:
		slot := Slot{SessionID: e.SessionID, ReservationID: e.ReservationID, Purpose: e.Purpose}
		s.Slots = append(without(s.Slots, e.SessionID), slot)
	case SlotReleased:
		s.Slots = without(s.Slots, e.SessionID)
	}
	return s
}

// without copies the slots, so that a state that was handed out never changes.
func without(slots []Slot, id domain.SessionID) []Slot {
	out := make([]Slot, 0, len(slots)+1)
	for _, s := range slots {
		if s.SessionID != id {
			out = append(out, s)
		}
	}
	return out
}
