// Package session decides what may happen in one chat of one customer: the agent's part, the supervisor's silent watch, joining
// and leaving, messages, transfers and the end. It never decides whether a staff member has an idle session left (package
// staff does, on their own stream), and never knows more of a caller than the Standing that it is given.
package session

import (
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

// Phase is where a session stands.
type Phase string

// Phases, in the order of a session's life. The zero Phase is a session that nobody requested.
const (
	Queued    Phase = "queued"
	Offered   Phase = "offered"
	Engaged   Phase = "engaged"
	WrapUp    Phase = "wrap_up"
	Concluded Phase = "concluded"
	Abandoned Phase = "abandoned"
)

// Waiting tells whether the session waits for an agent.
func (p Phase) Waiting() bool { return p == Queued || p == Offered }

// Ended tells whether the conversation is over; an agent may still be wrapping up.
func (p Phase) Ended() bool { return p == WrapUp || p == Concluded || p == Abandoned }

// Agent is the staff member who serves the session, or served it last.
type Agent struct {
	StaffRef
	ReservationID string
	Assigned      bool // put there by somebody else, and not yet answered
}

// Offer is an open question to an agent.
type Offer struct {
	Agent         StaffRef
	ReservationID string
	ExpiresAt     time.Time
}

// Watcher is a supervisor who monitors the session, joined or not.
type Watcher struct {
	StaffRef
	ReservationID string
	Joined        bool
}

// State of a session: what Decide reads, and what the session shows of itself. Its size does not grow with the messages.
type State struct {
	ID          domain.SessionID
	Phase       Phase
	Queue       QueueRef
	Customer    Customer
	Question    string
	RequestedAt time.Time
	QueuedAt    time.Time // of the present or last segment of waiting
	Agent       Agent     // zero before the first, and after a transfer to a queue
	EngagedAt   time.Time // when the first agent came
	Offer       Offer     // zero while there is none
	Watchers    []Watcher
	WrapUpUntil time.Time
	Disposition string

	// EverJoined: a supervisor has joined at some time (rule 8).
	EverJoined    bool
	HelpRequested bool
	seen          seen
}

// Watcher returns the watcher of that id.
func (s State) Watcher(id domain.StaffID) (Watcher, bool) {
	i := slices.IndexFunc(s.Watchers, func(w Watcher) bool { return w.ID == id })
	if i < 0 {
		return Watcher{}, false
	}
	return s.Watchers[i], true
}

// ServedBy tells whether the session has this agent now.
func (s State) ServedBy(id domain.StaffID) bool { return s.Phase == Engaged && s.Agent.ID == id }

// OfferedTo tells whether the session is offered to this agent now.
func (s State) OfferedTo(id domain.StaffID) bool { return s.Phase == Offered && s.Offer.Agent.ID == id }

// Evolve returns s after e.
func Evolve(s State, e Event) State {
	s.seen = s.seen.after(e)
	switch e := e.(type) {
	case SessionRequested:
		s.ID, s.Customer, s.Question, s.RequestedAt = e.SessionID, e.Customer, e.Question, e.RequestedAt
		s.Phase, s.Queue, s.QueuedAt = Queued, e.Queue, e.RequestedAt
	case SessionQueued:
		s.Phase, s.Queue, s.QueuedAt, s.Offer = Queued, e.Queue, e.QueuedAt, Offer{}
	case SessionOffered:
		s.Phase = Offered
		s.Offer = Offer(e)
	case OfferDeclined:
		s = s.withoutOffer(e.ReservationID)
	case OfferExpired:
		s = s.withoutOffer(e.ReservationID)
	case AgentJoined:
		s.Phase, s.Offer = Engaged, Offer{}
		s.Agent = Agent{StaffRef: e.Agent, ReservationID: e.ReservationID, Assigned: e.Assigned}
		if e.First {
			s.EngagedAt = e.JoinedAt
		}
	case PublicMessageSent:
		s.Agent.Assigned = s.Agent.Assigned && e.Sender.ID != string(s.Agent.ID)
	case PrivateMessageSent:
		s.Agent.Assigned = s.Agent.Assigned && e.Sender.ID != string(s.Agent.ID)
	case SupervisorStartedMonitoring:
		s.Watchers = append(slices.Clip(s.Watchers), Watcher{StaffRef: e.Supervisor, ReservationID: e.ReservationID})
	case SupervisorJoined:
		s = s.withJoined(e.Supervisor.ID)
	case SupervisorStoppedMonitoring:
		s = s.withoutWatcher(e.Supervisor.ID)
	case ParticipantLeft:
		// What it means for the session stands in the events beside it.
	case HelpRequested:
		s.HelpRequested = true
	case HelpResolved:
		s.HelpRequested = false
	case SessionTransferred:
		s.Agent, s.Offer, s.HelpRequested = Agent{}, Offer{}, false
	case SessionAbandoned:
		s.Phase, s.Offer = Abandoned, Offer{}
	case SessionConcluded:
		s.Phase, s.Offer, s.HelpRequested = Concluded, Offer{}, false
		if e.WrapUpUntil != nil {
			s.Phase, s.WrapUpUntil = WrapUp, *e.WrapUpUntil
		}
	case WrapUpCompleted:
		s.Phase, s.Disposition = Concluded, e.Disposition
	case MessageRedacted:
		// The text is the transcripts' business; Decide reads none.
	}
	return s
}

func (s State) withoutOffer(reservation string) State {
	if s.Offer.ReservationID == reservation {
		s.Phase, s.Offer = Queued, Offer{}
	}
	return s
}

func (s State) withJoined(id domain.StaffID) State {
	s.Watchers, s.EverJoined = slices.Clone(s.Watchers), true
	for i := range s.Watchers {
		if s.Watchers[i].ID == id {
			s.Watchers[i].Joined = true
		}
	}
	return s
}

func (s State) withoutWatcher(id domain.StaffID) State {
	s.Watchers = slices.DeleteFunc(slices.Clone(s.Watchers), func(w Watcher) bool { return w.ID == id })
	return s
}
