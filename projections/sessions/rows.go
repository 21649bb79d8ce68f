// Package sessions answers where every session stands and stood: its steps, its waits, the agents who had it, and who
// watched it. It holds no text of a message. A session is folded from its own stream alone, because its events carry the
// names and the queue's targets as they were. What each column measures is said in the migration of its table.
package sessions

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Name of the projection's checkpoint.
const Name = "sessions"

type stepRow struct {
	SessionKey         int64            `db:"session_key,key"`
	SessionID          domain.SessionID `db:"session_id"`
	CustomerName       string           `db:"customer_name"`
	CustomerEmail      string           `db:"customer_email,null"`
	RequestedAt        time.Time        `db:"requested_at"`
	RequestedQueueID   domain.QueueID   `db:"requested_queue_id"`
	QueueID            domain.QueueID   `db:"queue_id"`
	QueueName          string           `db:"queue_name"`
	State              session.Phase    `db:"state"`
	StateSince         time.Time        `db:"state_since"`
	QueuedAt           time.Time        `db:"queued_at"`
	OfferedToID        domain.StaffID   `db:"offered_to_id,null"`
	OfferReservationID string           `db:"offer_reservation_id,null"`
	OfferExpiresAt     time.Time        `db:"offer_expires_at,null"`
	AgentID            domain.StaffID   `db:"agent_id,null"`
	AgentName          string           `db:"agent_name,null"`
	EngagedAt          time.Time        `db:"engaged_at,null"`
	EndedAt            time.Time        `db:"ended_at,null"`
	CompletedAt        time.Time        `db:"completed_at,null"`
	WrapUpUntil        time.Time        `db:"wrap_up_until,null"`
	WaitMS             domain.Millis    `db:"wait_ms"`
	Segments           int64            `db:"segments"`
	Offers             int64            `db:"offers"`
	Declines           int64            `db:"declines"`
	Expiries           int64            `db:"expiries"`
	Legs               int64            `db:"legs"`
	Transfers          int64            `db:"transfers"`
	EngagedMS          domain.Millis    `db:"engaged_ms"`
	WrapUpMS           domain.Millis    `db:"wrap_up_ms"`
	FirstResponseMS    *int64           `db:"first_response_ms"`
	HelpRequestedAt    time.Time        `db:"help_requested_at,null"`
	HelpRequests       int64            `db:"help_requests"`
	Helped             int64            `db:"helped"`
	TimeToHelpMS       domain.Millis    `db:"time_to_help_ms"`
	Watches            int64            `db:"watches"`
	ShortAbandon       bool             `db:"short_abandon"`
	EndReason          string           `db:"end_reason,null"`
	Disposition        string           `db:"disposition,null"`
}

type activityRow struct {
	SessionKey            int64     `db:"session_key,key"`
	Revision              uint64    `db:"revision"`
	Messages              int64     `db:"messages"`
	CustomerMessages      int64     `db:"customer_messages"`
	AgentMessages         int64     `db:"agent_messages"`
	SupervisorMessages    int64     `db:"supervisor_messages"`
	PrivateMessages       int64     `db:"private_messages"`
	LastCustomerMessageAt time.Time `db:"last_customer_message_at,null"`
	LastAgentMessageAt    time.Time `db:"last_agent_message_at,null"`
}

// Outcomes of a wait.
const (
	outcomeAnswered       = "answered"
	outcomeAssigned       = "assigned"
	outcomeAbandoned      = "abandoned"
	outcomeShortAbandoned = "short_abandoned"
	outcomeTransferred    = "transferred"
	outcomeClosed         = "closed"
)

type segmentRow struct {
	SegmentKey     int64          `db:"segment_key,key"`
	SessionKey     int64          `db:"session_key"`
	QueueID        domain.QueueID `db:"queue_id"`
	QueueName      string         `db:"queue_name"`
	ServiceLevelMS domain.Millis  `db:"service_level_ms"`
	EnqueuedAt     time.Time      `db:"enqueued_at"`
	DequeuedAt     time.Time      `db:"dequeued_at,null"`
	WaitMS         *int64         `db:"wait_ms"`
	Outcome        string         `db:"outcome,null"`
	InTarget       bool           `db:"in_target"`
	AgentID        domain.StaffID `db:"agent_id,null"`
	Span           *int64         `db:"span"`
}

type legRow struct {
	LegKey     int64          `db:"leg_key,key"`
	SessionKey int64          `db:"session_key"`
	AgentID    domain.StaffID `db:"agent_id"`
	AgentName  string         `db:"agent_name"`
	QueueID    domain.QueueID `db:"queue_id"`
	Assigned   bool           `db:"assigned"`
	StartedAt  time.Time      `db:"started_at"`
	EndedAt    time.Time      `db:"ended_at,null"`
	ClosedAt   time.Time      `db:"closed_at,null"`
	EngagedMS  *int64         `db:"engaged_ms"`
	WrapUpMS   *int64         `db:"wrap_up_ms"`
	EndReason  string         `db:"end_reason,null"`
	Span       *int64         `db:"span"`
}

type monitoringRow struct {
	MonitoringKey   int64            `db:"monitoring_key,key"`
	SessionKey      int64            `db:"session_key"`
	SessionID       domain.SessionID `db:"session_id"`
	SupervisorID    domain.StaffID   `db:"supervisor_id"`
	SupervisorName  string           `db:"supervisor_name"`
	QueueID         domain.QueueID   `db:"queue_id"`
	AgentID         domain.StaffID   `db:"agent_id"`
	AgentName       string           `db:"agent_name"`
	Reason          string           `db:"reason,null"`
	StartedAt       time.Time        `db:"started_at"`
	JoinedAt        time.Time        `db:"joined_at,null"`
	EndedAt         time.Time        `db:"ended_at,null"`
	EndReason       string           `db:"end_reason,null"`
	WatchedMS       *int64           `db:"watched_ms"`
	PrivateMessages int64            `db:"private_messages"`
	PublicMessages  int64            `db:"public_messages"`
	Span            *int64           `db:"span"`
}

type quarterKey struct {
	queue domain.QueueID
	at    int64 // microseconds
}

type quarterRow struct {
	QueueID          domain.QueueID `db:"queue_id,key"`
	BucketAt         time.Time      `db:"bucket_at,key"`
	Offered          int64          `db:"offered"`
	Answered         int64          `db:"answered"`
	AnsweredInTarget int64          `db:"answered_in_target"`
	Assigned         int64          `db:"assigned"`
	Transferred      int64          `db:"transferred"`
	Closed           int64          `db:"closed"`
	Abandoned        int64          `db:"abandoned"`
	ShortAbandoned   int64          `db:"short_abandoned"`
	AnsweredWaitMS   int64          `db:"answered_wait_ms"`
	AbandonedWaitMS  int64          `db:"abandoned_wait_ms"`
	Handled          int64          `db:"handled"`
	EngagedMS        int64          `db:"engaged_ms"`
	WrapUpMS         int64          `db:"wrap_up_ms"`
	Responded        int64          `db:"responded"`
	FirstResponseMS  int64          `db:"first_response_ms"`
	Helped           int64          `db:"helped"`
	TimeToHelpMS     int64          `db:"time_to_help_ms"`
}

type handlingKey struct {
	agent domain.StaffID
	at    int64 // microseconds
}

type handlingRow struct {
	AgentID   domain.StaffID `db:"agent_id,key"`
	BucketAt  time.Time      `db:"bucket_at,key"`
	Answered  int64          `db:"answered"`
	Assigned  int64          `db:"assigned"`
	Handled   int64          `db:"handled"`
	EngagedMS int64          `db:"engaged_ms"`
	WrapUpMS  int64          `db:"wrap_up_ms"`
}

var (
	stepTable       = readstore.NewTable[stepRow]("fact_session_step", readstore.State)
	activityTable   = readstore.NewTable[activityRow]("fact_session_activity", readstore.State)
	segmentTable    = readstore.NewTable[segmentRow]("fact_queue_segment", readstore.State)
	legTable        = readstore.NewTable[legRow]("fact_agent_leg", readstore.State)
	monitoringTable = readstore.NewTable[monitoringRow]("fact_monitoring", readstore.State)
	quarterTable    = readstore.NewTable[quarterRow]("agg_queue_15m", readstore.Counter)
	handlingTable   = readstore.NewTable[handlingRow]("agent_handling_15m", readstore.Counter)
)
