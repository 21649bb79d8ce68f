package session

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

// Event is what happens in a session. Who may see what of it is declared in audience.go.
type Event interface{ sessionEvent() }

// Customer is who asked for the chat, as they described themselves.
type Customer struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

// StaffRef names a staff member as they were called at the time.
type StaffRef struct {
	ID   domain.StaffID `json:"id"`
	Name string         `json:"name"`
}

// QueueRef is a queue with the settings that the session's readers need, as they were at the time.
type QueueRef struct {
	ID             domain.QueueID `json:"id"`
	Name           string         `json:"name"`
	ServiceLevelMS domain.Millis  `json:"service_level_ms"`
	ShortAbandonMS domain.Millis  `json:"short_abandon_ms"`
	OfferTimeoutMS domain.Millis  `json:"offer_timeout_ms"`
	WrapUpMS       domain.Millis  `json:"wrap_up_ms"`
}

// Sender is who wrote a message, in which role of the session. ID is empty for the customer.
type Sender struct {
	ID   string      `json:"id,omitempty"`
	Role domain.Role `json:"role"` // customer, agent or supervisor
	Name string      `json:"name"`
}

// SessionRequested opens a session.
type SessionRequested struct {
	SessionID   domain.SessionID `json:"session_id"`
	Queue       QueueRef         `json:"queue"`
	Customer    Customer         `json:"customer"`
	Question    string           `json:"question"`
	RequestedAt time.Time        `json:"requested_at"`
}

// SessionQueued puts the session at the end of a queue: a new segment of waiting.
type SessionQueued struct {
	Queue    QueueRef  `json:"queue"`
	QueuedAt time.Time `json:"queued_at"`
}

// SessionOffered asks an agent to take the session until the offer expires.
type SessionOffered struct {
	Agent         StaffRef  `json:"agent"`
	ReservationID string    `json:"reservation_id"`
	ExpiresAt     time.Time `json:"expires_at"`
}

// OfferDeclined is an agent's no. The session waits again.
type OfferDeclined struct {
	Agent         StaffRef `json:"agent"`
	ReservationID string   `json:"reservation_id"`
}

// Reasons why an offer expired.
const (
	OfferTimedOut  = "timed_out"
	OfferLoggedOut = "logged_out"
	OfferTaken     = "taken_by_another"
	OfferMoved     = "session_moved"
	OfferEnded     = "session_ended"
)

// OfferExpired withdraws an offer that was not answered. Unless another event of the same append says otherwise, the
// session waits again.
type OfferExpired struct {
	Agent         StaffRef `json:"agent"`
	ReservationID string   `json:"reservation_id"`
	Reason        string   `json:"reason"`
}

// AgentJoined gives the session its agent. Assigned says that somebody else put them there: an assignment is not an answer.
type AgentJoined struct {
	Agent         StaffRef  `json:"agent"`
	ReservationID string    `json:"reservation_id"`
	Assigned      bool      `json:"assigned,omitempty"`
	JoinedAt      time.Time `json:"joined_at"`
	// Queue and WaitedMS describe the segment of waiting that this ends; from agent to agent nobody waits. First says that
	// the session had no agent before.
	Queue    QueueRef      `json:"queue"`
	WaitedMS domain.Millis `json:"waited_ms"`
	First    bool          `json:"first"`
}

// PublicMessageSent is a message that everybody in the session sees.
type PublicMessageSent struct {
	MessageID string `json:"message_id"`
	Sender    Sender `json:"sender"`
	Text      string `json:"text"`
}

// PrivateMessageSent is a message that only staff see.
type PrivateMessageSent struct {
	MessageID string `json:"message_id"`
	Sender    Sender `json:"sender"`
	Text      string `json:"text"`
}

// SupervisorStartedMonitoring is seen by supervisors and auditors alone.
type SupervisorStartedMonitoring struct {
	Supervisor    StaffRef       `json:"supervisor"`
	ReservationID string         `json:"reservation_id"`
	Reason        string         `json:"reason,omitempty"`
	QueueID       domain.QueueID `json:"queue_id"`
	Agent         StaffRef       `json:"agent"`
}

// SupervisorJoined makes a watcher a participant. Announced says that the customer is told as well.
type SupervisorJoined struct {
	Supervisor StaffRef `json:"supervisor"`
	Announced  bool     `json:"announced,omitempty"`
}

// Reasons why a monitoring ended.
const (
	LeftByThemselves    = "left"
	MonitorSessionEnded = "session_ended"
	MonitorLoggedOut    = "logged_out"
	MonitorNotPermitted = "permission_lost"
	MonitorOutOfQueue   = "queue_not_in_profile"
	MonitorBecameAgent  = "became_agent"
	MonitorSlotLost     = "slot_lost"
)

// SupervisorStoppedMonitoring ends a watch, joined or not. Only supervisors and auditors see it.
type SupervisorStoppedMonitoring struct {
	Supervisor    StaffRef `json:"supervisor"`
	ReservationID string   `json:"reservation_id"`
	Reason        string   `json:"reason"`
}

// ParticipantLeft stands on the public thread: the customer, or a supervisor who had joined.
type ParticipantLeft struct {
	Participant Sender `json:"participant"`
}

// HelpRequested is an agent's call for a supervisor.
type HelpRequested struct {
	Agent StaffRef `json:"agent"`
	Note  string   `json:"note,omitempty"`
}

// HelpResolved is the first private message or join of a supervisor after the call.
type HelpResolved struct {
	By StaffRef `json:"by"`
}

// SessionTransferred moves a session to a queue or to a staff member; what follows in the same append says where it stands.
type SessionTransferred struct {
	FromQueueID domain.QueueID `json:"from_queue_id"`
	// From is the agent who had the session; the zero value when it was waiting.
	From              StaffRef       `json:"from"`
	FromReservationID string         `json:"from_reservation_id,omitempty"`
	ToQueueID         domain.QueueID `json:"to_queue_id"`
	ToQueueName       string         `json:"to_queue_name"`
	To                StaffRef       `json:"to"` // zero for a transfer to a queue
	By                Actor          `json:"by"`
}

// SessionAbandoned: the customer left before an agent accepted.
type SessionAbandoned struct {
	Queue    QueueRef      `json:"queue"`
	WaitedMS domain.Millis `json:"waited_ms"`
	Short    bool          `json:"short"` // sooner than the queue's threshold
}

// Reasons why a session was concluded.
const (
	ConcludedByAgent      = "agent"
	ConcludedByCustomer   = "customer_left"
	ConcludedBySupervisor = "closed"
)

// SessionConcluded ends the conversation. WrapUpUntil is set when the agent has work left on it.
type SessionConcluded struct {
	Agent         StaffRef   `json:"agent"`
	ReservationID string     `json:"reservation_id,omitempty"`
	Reason        string     `json:"reason"`
	By            Actor      `json:"by"`
	WrapUpUntil   *time.Time `json:"wrap_up_until,omitempty"`
}

// WrapUpCompleted closes the agent's work on an ended session.
type WrapUpCompleted struct {
	Agent       StaffRef `json:"agent"`
	Disposition string   `json:"disposition,omitempty"`
	TimedOut    bool     `json:"timed_out,omitempty"`
}

// Visibilities of a message.
const (
	Public  Visibility = "public"
	Private Visibility = "private"
)

// Visibility says whether the customer sees a message.
type Visibility string

// MessageRedacted takes the text of a message out of every transcript.
type MessageRedacted struct {
	MessageID  string     `json:"message_id"`
	Revision   uint64     `json:"revision"` // of the message's event in the session stream
	Visibility Visibility `json:"visibility"`
	Reason     string     `json:"reason,omitempty"`
}

// Actor is who did something, in the words of this stream.
type Actor struct {
	ID   string      `json:"id,omitempty"`
	Role domain.Role `json:"role"`
	Name string      `json:"name,omitempty"`
}

func (SessionRequested) sessionEvent()            {}
func (SessionQueued) sessionEvent()               {}
func (SessionOffered) sessionEvent()              {}
func (OfferDeclined) sessionEvent()               {}
func (OfferExpired) sessionEvent()                {}
func (AgentJoined) sessionEvent()                 {}
func (PublicMessageSent) sessionEvent()           {}
func (PrivateMessageSent) sessionEvent()          {}
func (SupervisorStartedMonitoring) sessionEvent() {}
func (SupervisorJoined) sessionEvent()            {}
func (SupervisorStoppedMonitoring) sessionEvent() {}
func (ParticipantLeft) sessionEvent()             {}
func (HelpRequested) sessionEvent()               {}
func (HelpResolved) sessionEvent()                {}
func (SessionTransferred) sessionEvent()          {}
func (SessionAbandoned) sessionEvent()            {}
func (SessionConcluded) sessionEvent()            {}
func (WrapUpCompleted) sessionEvent()             {}
func (MessageRedacted) sessionEvent()             {}
