package session

import (
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
)

// Standing is who a staff member is and what their account and profile say at the time of the act.
type Standing struct {
	StaffRef
	LoggedIn     bool
	Chat         bool
	Supervisor   bool
	Monitor      bool
	AllowDecline bool
	Queues       []domain.QueueID // of the profile
	// Admin stands for an administrator, who has no profile and may move and close every session.
	Admin bool
}

func (p Standing) serves(q domain.QueueID) bool { return slices.Contains(p.Queues, q) }

// MayMonitor tells whether the profile allows to watch sessions at all.
func (p Standing) MayMonitor() bool { return p.Supervisor && p.Monitor }

// supervises tells whether the session is in the caller's care.
func (p Standing) supervises(s State) bool { return p.Admin || p.Supervisor && p.serves(s.Queue.ID) }

func (p Standing) role(s State) domain.Role {
	switch {
	case p.Admin:
		return domain.RoleAdmin
	case s.Agent.ID == p.ID:
		return domain.RoleAgent
	default:
		return domain.RoleSupervisor
	}
}

func (p Standing) actor(s State) Actor {
	return Actor{ID: string(p.ID), Role: p.role(s), Name: p.Name}
}

// VisibleTo tells whether a staff member may know of the session: its agent, the agent it is offered to, its watchers,
// agents of its queue while it waits, and the supervisors of its queue.
func (s State) VisibleTo(p Standing) bool {
	if s.Phase == "" {
		return false
	}
	if p.Admin || s.Agent.ID == p.ID || s.OfferedTo(p.ID) || p.supervises(s) {
		return true
	}
	if _, watching := s.Watcher(p.ID); watching {
		return true
	}
	return s.Phase.Waiting() && p.Chat && p.serves(s.Queue.ID)
}

// Command asks for something to be done in a session.
type Command interface{ sessionCommand() }

// Request opens a session in a queue.
type Request struct {
	SessionID domain.SessionID
	Queue     QueueRef
	Customer  Customer
	Question  string
	At        time.Time
}

// OfferTo asks an agent, whose slot is reserved, to take a session that waits.
type OfferTo struct {
	Agent         StaffRef
	ReservationID string
	ExpiresAt     time.Time
}

// Accept takes a session that is offered to the caller, or that waits in a queue of their profile. The slot is reserved.
type Accept struct {
	By            Standing
	ReservationID string
	At            time.Time
}

// Decline refuses an offer.
type Decline struct{ By Standing }

// ExpireOffer withdraws the offer of a reservation. Withdrawing another changes nothing.
type ExpireOffer struct {
	ReservationID string
	Reason        string
}

// Send writes a message as the caller's role in the session. By is nil for the customer.
type Send struct {
	By         *Standing
	MessageID  string
	Visibility Visibility
	Text       string
	// AgentPrivateReply is the queue's setting at this time (rule 8).
	AgentPrivateReply queue.PrivateReply
}

// Watch starts a monitoring. The slot is reserved, or was found free in a trial.
type Watch struct {
	By            Standing
	ReservationID string
	Reason        string // may be empty
}

// Join makes the watcher a participant. Announce is the queue's setting at this time.
type Join struct {
	By       Standing
	Announce bool
}

// Leave ends the caller's monitoring. By is nil for the customer, whose leaving ends the session.
type Leave struct {
	By *Standing
	At time.Time
}

// EndMonitoring ends a monitoring that has lost its ground, as rule 9 says. Ending another reservation changes nothing.
type EndMonitoring struct {
	StaffID       domain.StaffID
	ReservationID string
	Reason        string
}

// RequestHelp calls for a supervisor.
type RequestHelp struct {
	By   Standing
	Note string // may be empty
}

// Transfer moves the session to a queue, or to a staff member whose slot is reserved. Exactly one of ToQueue and To is set.
type Transfer struct {
	By            Standing
	ToQueue       *QueueRef
	To            *Standing
	ReservationID string // of To
	At            time.Time
}

// Conclude ends the session, or completes its wrap-up.
type Conclude struct {
	By          Standing
	Disposition string // may be empty
	At          time.Time
}

// EndWrapUp completes a wrap-up whose time is over.
type EndWrapUp struct{}

func (Request) sessionCommand()       {}
func (OfferTo) sessionCommand()       {}
func (Accept) sessionCommand()        {}
func (Decline) sessionCommand()       {}
func (ExpireOffer) sessionCommand()   {}
func (Send) sessionCommand()          {}
func (Watch) sessionCommand()         {}
func (Join) sessionCommand()          {}
func (Leave) sessionCommand()         {}
func (EndMonitoring) sessionCommand() {}
func (RequestHelp) sessionCommand()   {}
func (Transfer) sessionCommand()      {}
func (Conclude) sessionCommand()      {}
func (EndWrapUp) sessionCommand()     {}
