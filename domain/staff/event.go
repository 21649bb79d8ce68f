package staff

import "github.com/chatwatch/chatwatch/domain"

// Event is what happens to a staff member.
type Event interface{ staffEvent() }

// StaffRegistered gives a member a name and a profile; again, under a new name.
type StaffRegistered struct {
	StaffID   domain.StaffID   `json:"staff_id"`
	Name      string           `json:"name"`
	ProfileID domain.ProfileID `json:"profile_id"`
}

// ProfileAssigned gives a member another profile.
type ProfileAssigned struct {
	StaffID   domain.StaffID   `json:"staff_id"`
	ProfileID domain.ProfileID `json:"profile_id"`
}

// StaffLoggedIn begins a duty.
type StaffLoggedIn struct {
	StaffID   domain.StaffID   `json:"staff_id"`
	ProfileID domain.ProfileID `json:"profile_id"`
	Status    Status           `json:"status"`
}

// StaffLoggedOut ends a duty. Monitorings and offers that were open end after it, each with its own events.
type StaffLoggedOut struct {
	StaffID domain.StaffID `json:"staff_id"`
}

// StaffStatusChanged says what a member is doing from now on, and why when they said so.
type StaffStatusChanged struct {
	StaffID domain.StaffID `json:"staff_id"`
	Status  Status         `json:"status"`
	Reason  string         `json:"reason,omitempty"`
}

// SlotReserved takes an idle session of the member for a session, or gives the slot held for it a new purpose.
type SlotReserved struct {
	StaffID       domain.StaffID   `json:"staff_id"`
	SessionID     domain.SessionID `json:"session_id"`
	ReservationID string           `json:"reservation_id"`
	Purpose       Purpose          `json:"purpose"`
}

// SlotReleased gives a slot back.
type SlotReleased struct {
	StaffID       domain.StaffID   `json:"staff_id"`
	SessionID     domain.SessionID `json:"session_id"`
	ReservationID string           `json:"reservation_id"`
}

func (StaffRegistered) staffEvent()    {}
func (ProfileAssigned) staffEvent()    {}
func (StaffLoggedIn) staffEvent()      {}
func (StaffLoggedOut) staffEvent()     {}
func (StaffStatusChanged) staffEvent() {}
func (SlotReserved) staffEvent()       {}
func (SlotReleased) staffEvent()       {}
