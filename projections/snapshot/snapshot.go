// Package snapshot answers what goes on in the queues now, or at a past instant: the Queue Snapshot from which a supervisor
// picks a session. It has no tables of its own; it joins what directory, staffing and sessions keep, and
// for the past transcripts, at one moment of the database. It decides nothing about who may ask.
package snapshot

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Alert compares the oldest wait of a queue with its target.
type Alert string

// Levels of alert.
const (
	OK       Alert = "ok"
	Warning  Alert = "warning"  // three quarters of the target have gone by
	Breached Alert = "breached" // the target has gone by
)

// Snapshot of queues, agents and sessions.
type Snapshot struct {
	AsOf     time.Time
	Position eventstore.Position // up to which the events of all three are in it; of now, also in a past snapshot
	Queues   []Queue             // by id
	Agents   []Agent             // who is logged in with a profile that serves one of the queues, by id
	Sessions []Session           // on which somebody has something to do, oldest first
}

// Queue in a snapshot. Counts are of sessions unless they say agents.
type Queue struct {
	ID              domain.QueueID
	Name            string
	ServiceLevelMS  domain.Millis
	Waiting         int            // queued or offered
	OldestWaitMS    *domain.Millis // of those that wait; nil when none does
	Engaged         int
	InWrapUp        int
	Monitored       int
	AgentsLoggedIn  int
	AgentsAvailable int
	IdleSessions    int // that the available agents can still take
	// Today counts the waits that began since midnight UTC.
	OfferedToday          int
	AnsweredToday         int
	AnsweredInTargetToday int
	AbandonedToday        int // without the short ones
	ShortAbandonedToday   int
	ServiceLevelToday     *float64 // answered in target / offered; nil when none was offered
	Alert                 Alert
}

// Agent in a snapshot.
type Agent struct {
	ID              domain.StaffID
	Name            string
	ProfileID       domain.ProfileID
	Status          staff.Status
	StatusType      staff.StatusType
	TimeInStatusMS  domain.Millis
	SessionsInUse   int
	MaxSessions     int
	IdleSessions    int
	OldestSessionMS *domain.Millis // since the agent came to the session that they have had longest; nil for none
	HelpRequested   bool           // in one of their sessions
}

// Session in a snapshot.
type Session struct {
	ID                       domain.SessionID
	QueueID                  domain.QueueID
	QueueName                string
	Agent                    *session.StaffRef // nil while nobody has it
	Customer                 session.Customer
	State                    session.Phase
	RequestedAt              time.Time
	TimeInStateMS            domain.Millis
	WaitMS                   domain.Millis // all waits, with the one that lasts
	DurationMS               domain.Millis // since the request, until the conversation ended
	LastCustomerMessageAgeMS *domain.Millis
	LastAgentMessageAgeMS    *domain.Millis
	Messages                 int
	HelpRequested            bool
	// MonitoredBy is for supervisors, admins and auditors only.
	MonitoredBy []Watcher
}

// Watcher of a session.
type Watcher struct {
	session.StaffRef
	Since  time.Time
	Joined bool
}
