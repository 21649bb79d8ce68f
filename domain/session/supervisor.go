package session

import (
	"github.com/chatwatch/chatwatch/domain"
)

// The supervisor's ribbon: monitor, join, leave.

func watch(s State, c Watch) ([]Event, error) {
	if err := domain.CheckOptionalText("reason", c.Reason, domain.MaxName); err != nil {
		return nil, err
	}
	switch {
	case !c.By.LoggedIn:
		return nil, notLoggedIn()
	case s.Agent.ID == c.By.ID:
		return nil, domain.Reject(domain.OwnSession, "the caller is the agent of the session")
	case !c.By.serves(s.Queue.ID):
		return nil, domain.Reject(domain.QueueNotInProfile, "the queue of the session is not in the profile")
	case s.Phase.Ended():
		return nil, ended()
	}
	if _, watching := s.Watcher(c.By.ID); watching {
		return nil, domain.Reject(domain.AlreadyMonitoring, "the session is being monitored by the caller already")
	}
	if s.Phase != Engaged {
		return nil, notEngaged()
	}
	return []Event{SupervisorStartedMonitoring{
		Supervisor: c.By.StaffRef, ReservationID: c.ReservationID, Reason: c.Reason, QueueID: s.Queue.ID, Agent: s.Agent.StaffRef,
	}}, nil
}

func join(s State, c Join) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	if s.Phase.Ended() {
		return nil, ended()
	}
	w, watching := s.Watcher(c.By.ID)
	switch {
	case !watching:
		return nil, notMonitoring()
	case w.Joined:
		return nil, domain.Reject(domain.AlreadyJoined, "the caller has joined the session already")
	case s.Phase != Engaged:
		return nil, notEngaged()
	}
	events := []Event{SupervisorJoined{Supervisor: w.StaffRef, Announced: c.Announce}}
	return append(events, s.helped(w.StaffRef)...), nil
}

func leave(s State, c Leave) ([]Event, error) {
	if c.By == nil {
		return customerLeave(s, c)
	}
	if !s.VisibleTo(*c.By) {
		return nil, notFound()
	}
	if s.Phase.Ended() {
		return nil, ended()
	}
	w, watching := s.Watcher(c.By.ID)
	if !watching {
		return nil, notMonitoring()
	}
	return stopWatching(w, LeftByThemselves), nil
}

// customerLeave ends the session: an abandonment while it waits, a conclusion while it is with an agent.
func customerLeave(s State, c Leave) ([]Event, error) {
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case s.Phase == Engaged:
		events := []Event{ParticipantLeft{Participant: Sender{Role: domain.RoleCustomer, Name: s.Customer.Name}}}
		return append(events, s.end(ConcludedByCustomer, Actor{Role: domain.RoleCustomer, Name: s.Customer.Name}, Conclude{At: c.At})...), nil
	}
	var events []Event
	if s.Phase == Offered {
		events = append(events, s.expire(OfferEnded))
	}
	waited := domain.MillisBetween(s.QueuedAt, c.At)
	events = append(events, SessionAbandoned{Queue: s.Queue, WaitedMS: waited, Short: waited < s.Queue.ShortAbandonMS})
	return append(events, s.endWatches()...), nil
}

func endMonitoring(s State, c EndMonitoring) ([]Event, error) {
	w, watching := s.Watcher(c.StaffID)
	if !watching || w.ReservationID != c.ReservationID {
		return nil, nil
	}
	return stopWatching(w, c.Reason), nil
}

// stopWatching ends a monitoring. Only who had joined is missed by anybody (rule 9).
func stopWatching(w Watcher, reason string) []Event {
	var events []Event
	if w.Joined {
		events = append(events, ParticipantLeft{Participant: *supervisorSender(w.StaffRef)})
	}
	return append(events, SupervisorStoppedMonitoring{Supervisor: w.StaffRef, ReservationID: w.ReservationID, Reason: reason})
}

// helped resolves an open call for help.
func (s State) helped(by StaffRef) []Event {
	if !s.HelpRequested {
		return nil
	}
	return []Event{HelpResolved{By: by}}
}

// StillGrounded tells whether a watcher of that standing, whose slot is held or not, may go on watching; if not, why.
func (s State) StillGrounded(p Standing, slotHeld bool) (reason string, grounded bool) {
	switch {
	case !p.LoggedIn:
		return MonitorLoggedOut, false
	case !p.MayMonitor():
		return MonitorNotPermitted, false
	case !p.serves(s.Queue.ID):
		return MonitorOutOfQueue, false
	case !slotHeld:
		return MonitorSlotLost, false
	}
	return "", true
}
