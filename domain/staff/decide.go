package staff

import (
	"github.com/chatwatch/chatwatch/domain"
)

// Command asks for something to be done to a staff member.
type Command interface{ staffCommand() }

// Register gives a member a name and a profile. ProfileExists is what the caller found.
type Register struct {
	StaffID       domain.StaffID
	Name          string
	ProfileID     domain.ProfileID
	ProfileExists bool
}

// LogIn begins a duty. Chat and Queues are what the member's profile says at this time.
type LogIn struct {
	Status Status // when empty, the one that they have, or Available
	Chat   bool
	Queues int // how many queues the profile has
}

// LogOut ends a duty.
type LogOut struct{}

// SetStatus changes what a member is doing.
type SetStatus struct {
	Status Status
	Reason string // may be empty
}

// Reserve takes a slot for a session. MaxSessions is what the member's profile says at this time.
type Reserve struct {
	SessionID     domain.SessionID
	ReservationID string
	Purpose       Purpose
	MaxSessions   int
}

// Adopt records a slot for a session that has the member already, whatever the limit says: the session is in use, so it
// must count. It repairs what a process left behind that was stopped between two streams.
type Adopt struct {
	SessionID     domain.SessionID
	ReservationID string
	Purpose       Purpose
}

// Release gives back the slot of a reservation. Releasing what is not held changes nothing.
type Release struct {
	SessionID     domain.SessionID
	ReservationID string
}

func (Register) staffCommand()  {}
func (LogIn) staffCommand()     {}
func (LogOut) staffCommand()    {}
func (SetStatus) staffCommand() {}
func (Reserve) staffCommand()   {}
func (Adopt) staffCommand()     {}
func (Release) staffCommand()   {}

// Decide answers a command with the events to append, or a rejection.
func Decide(s State, c Command) ([]Event, error) {
	if c, ok := c.(Register); ok {
		return register(s, c)
	}
	if !s.Registered {
		return nil, domain.Reject(domain.Missing, "no such staff member")
	}
	switch c := c.(type) {
	case LogIn:
		return logIn(s, c)
	case LogOut:
		return logOut(s)
	case SetStatus:
		return setStatus(s, c)
	case Reserve:
		return reserve(s, c)
	case Adopt:
		return adopt(s, c)
	case Release:
		return release(s, c)
	default:
		panic("staff: unknown command")
	}
}

func register(s State, c Register) ([]Event, error) {
	if !domain.ValidID(string(c.StaffID)) {
		return nil, domain.Reject(domain.InvalidRequest, "the staff id is not of the form [a-z0-9][a-z0-9._-]{0,63}")
	}
	if err := domain.CheckText("name", c.Name, domain.MaxName); err != nil {
		return nil, err
	}
	if !c.ProfileExists {
		return nil, domain.Reject(domain.UnknownProfile, "the profile does not exist")
	}
	switch {
	case !s.Registered || s.Name != c.Name:
		return []Event{StaffRegistered{StaffID: c.StaffID, Name: c.Name, ProfileID: c.ProfileID}}, nil
	case s.ProfileID != c.ProfileID:
		return []Event{ProfileAssigned{StaffID: c.StaffID, ProfileID: c.ProfileID}}, nil
	}
	return nil, nil
}

func logIn(s State, c LogIn) ([]Event, error) {
	if c.Status == "" && s.LoggedIn {
		c.Status = s.Status
	} else if c.Status == "" {
		c.Status = Available
	}
	if !c.Status.Valid() {
		return nil, invalidStatus()
	}
	if c.Queues == 0 {
		return nil, domain.Reject(domain.ProfileHasNoQueue, "the profile has no queue, so there is nothing to log in to")
	}
	if !c.Chat {
		return nil, domain.Reject(domain.NotPermitted, "the profile does not have chat")
	}
	switch {
	case !s.LoggedIn:
		return []Event{StaffLoggedIn{StaffID: s.ID, ProfileID: s.ProfileID, Status: c.Status}}, nil
	case s.Status != c.Status:
		return []Event{StaffStatusChanged{StaffID: s.ID, Status: c.Status}}, nil
	}
	return nil, nil
}

func logOut(s State) ([]Event, error) {
	if !s.LoggedIn {
		return nil, notLoggedIn()
	}
	open := 0
	for _, slot := range s.Slots {
		if slot.Purpose == ForEngagement {
			open++
		}
	}
	if open > 0 {
		return nil, domain.Reject(domain.SessionsStillOpen, "there are sessions that are still open").With("open_sessions", open)
	}
	return []Event{StaffLoggedOut{StaffID: s.ID}}, nil
}

func setStatus(s State, c SetStatus) ([]Event, error) {
	if !c.Status.Valid() {
		return nil, invalidStatus()
	}
	if err := domain.CheckOptionalText("reason", c.Reason, domain.MaxName); err != nil {
		return nil, err
	}
	if !s.LoggedIn {
		return nil, notLoggedIn()
	}
	if s.Status == c.Status {
		return nil, nil
	}
	return []Event{StaffStatusChanged{StaffID: s.ID, Status: c.Status, Reason: c.Reason}}, nil
}

func reserve(s State, c Reserve) ([]Event, error) {
	if !s.LoggedIn {
		return nil, notLoggedIn()
	}
	if held, ok := s.Slot(c.SessionID); ok {
		switch {
		case held.ReservationID == c.ReservationID && held.Purpose == c.Purpose:
			return nil, nil
		case held.Purpose == ForMonitoring && c.Purpose == ForMonitoring:
			return nil, domain.Reject(domain.AlreadyMonitoring, "the session is being monitored already")
		}
		// One session takes one slot, whatever it is held for: an accepted offer, a watcher who becomes the agent.
		return []Event{reserved(s.ID, Slot{c.SessionID, c.ReservationID, c.Purpose})}, nil
	}
	if s.Idle(c.MaxSessions) == 0 {
		return nil, domain.Reject(domain.NoIdleSession, "%d of %d sessions are in use", len(s.Slots), c.MaxSessions).
			With("sessions_in_use", len(s.Slots)).With("max_sessions", c.MaxSessions).With("idle_sessions", 0)
	}
	return []Event{reserved(s.ID, Slot{c.SessionID, c.ReservationID, c.Purpose})}, nil
}

func adopt(s State, c Adopt) ([]Event, error) {
	slot := Slot(c)
	if held, ok := s.Slot(c.SessionID); ok && held == slot {
		return nil, nil
	}
	return []Event{reserved(s.ID, slot)}, nil
}

func release(s State, c Release) ([]Event, error) {
	held, ok := s.Slot(c.SessionID)
	if !ok || held.ReservationID != c.ReservationID {
		return nil, nil
	}
	return []Event{SlotReleased{StaffID: s.ID, SessionID: c.SessionID, ReservationID: c.ReservationID}}, nil
}

func reserved(id domain.StaffID, s Slot) SlotReserved {
	return SlotReserved{StaffID: id, SessionID: s.SessionID, ReservationID: s.ReservationID, Purpose: s.Purpose}
}

func notLoggedIn() error { return domain.Reject(domain.NotLoggedIn, "not logged in to chat") }

func invalidStatus() error {
	return domain.Reject(domain.InvalidRequest, "status must be one of available, unavailable, in_meeting, on_break")
}
