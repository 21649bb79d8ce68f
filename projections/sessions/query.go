package sessions

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Session as the read side knows it.
type Session struct {
	Key              int64 // grows with time of request; for paging only, never shown
	ID               domain.SessionID
	Customer         session.Customer
	RequestedQueueID domain.QueueID
	QueueID          domain.QueueID
	QueueName        string
	State            session.Phase
	StateSince       time.Time
	RequestedAt      time.Time
	QueuedAt         time.Time      // of the present or last wait
	OfferedTo        domain.StaffID // "" unless offered
	OfferExpiresAt   time.Time
	AgentID          domain.StaffID // present or last agent, "" while there is none
	AgentName        string
	EngagedAt        time.Time // zero until the first agent came; so are the times below until their event
	EndedAt          time.Time
	CompletedAt      time.Time
	WrapUpUntil      time.Time
	WaitMS           domain.Millis  // over the waits that are over
	FirstResponseMS  *domain.Millis // nil until there is one
	HelpRequestedAt  time.Time      // of the call that is open
	Transfers        int
	EndReason        string
	Disposition      string

	Messages              int // public
	CustomerMessages      int
	AgentMessages         int
	PrivateMessages       int // staff only
	LastCustomerMessageAt time.Time
	LastAgentMessageAt    time.Time
}

const selectSession = `SELECT session_key, session_id, customer_name, coalesce(customer_email, ''), requested_queue_id, queue_id,
	queue_name, state, state_since, requested_at, queued_at, coalesce(offered_to_id, ''), offer_expires_at,
	coalesce(agent_id, ''), coalesce(agent_name, ''), engaged_at, ended_at, completed_at, wrap_up_until, wait_ms,
	first_response_ms, help_requested_at, transfers, coalesce(end_reason, ''), coalesce(disposition, ''), messages,
	customer_messages, agent_messages, private_messages, last_customer_message_at, last_agent_message_at FROM fact_session `

func scanSession(rows readstore.Rows) (Session, error) {
	var s Session
	var since, requested, queued, offer, engaged, ended, completed, wrapUp, help, customer, agent readstore.Time
	err := rows.Scan(&s.Key, &s.ID, &s.Customer.Name, &s.Customer.Email, &s.RequestedQueueID, &s.QueueID, &s.QueueName,
		&s.State, &since, &requested, &queued, &s.OfferedTo, &offer, &s.AgentID, &s.AgentName, &engaged, &ended, &completed,
		&wrapUp, &s.WaitMS, &s.FirstResponseMS, &help, &s.Transfers, &s.EndReason, &s.Disposition, &s.Messages,
		&s.CustomerMessages, &s.AgentMessages, &s.PrivateMessages, &customer, &agent)
	s.StateSince, s.RequestedAt, s.QueuedAt, s.OfferExpiresAt = since.Time, requested.Time, queued.Time, offer.Time
	s.EngagedAt, s.EndedAt, s.CompletedAt, s.WrapUpUntil = engaged.Time, ended.Time, completed.Time, wrapUp.Time
	s.HelpRequestedAt, s.LastCustomerMessageAt, s.LastAgentMessageAt = help.Time, customer.Time, agent.Time
	return s, err
}

// Reader reads sessions.
type Reader struct{ q readstore.Queryer }

// NewReader makes a reader of a database, or of a moment of it.
func NewReader(q readstore.Queryer) *Reader { return &Reader{q} }

// MaxLimit bounds a page.
const MaxLimit = 1000

// Session gives one session, nil when there is none of that id.
func (r *Reader) Session(ctx context.Context, id domain.SessionID) (*Session, error) {
	found, err := r.sessions(ctx, "WHERE session_id = ?", string(id))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Open lists all sessions on which somebody has something to do, oldest first: those in some queues, or in all for nil.
func (r *Reader) Open(ctx context.Context, queues []domain.QueueID) ([]Session, error) {
	if queues == nil {
		return r.sessions(ctx, "WHERE completed_at IS NULL ORDER BY session_key")
	}
	return r.sessions(ctx, "WHERE completed_at IS NULL AND queue_id IN ? ORDER BY session_key", readstore.Of(queues))
}

func (r *Reader) sessions(ctx context.Context, where string, args ...any) ([]Session, error) {
	rows, err := r.q.Query(ctx, selectSession+where, args...)
	out, err := readstore.Collect(rows, err, scanSession)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return out, nil
}

// Monitoring is a stretch of time in which a supervisor watched a session.
type Monitoring struct {
	Key             int64 // grows with time; for paging only, never shown
	SessionID       domain.SessionID
	Supervisor      session.StaffRef
	QueueID         domain.QueueID
	Agent           session.StaffRef
	Reason          string
	StartedAt       time.Time
	JoinedAt        time.Time // zero when they only watched
	EndedAt         time.Time // zero while it lasts
	EndReason       string
	WatchedMS       *domain.Millis // nil while it lasts
	PrivateMessages int            // of the supervisor meanwhile
	PublicMessages  int
}

// SupervisionFilter selects monitorings; zero fields select all.
type SupervisionFilter struct {
	Supervisor domain.StaffID
	Session    domain.SessionID
	Queue      domain.QueueID
	// From and To: those that went on at some time in [From, To).
	From, To time.Time
	OpenOnly bool
}

// Supervision lists monitorings, latest first: those before a key (0 for the first page), at most limit.
func (r *Reader) Supervision(ctx context.Context, f SupervisionFilter, before int64, limit int) ([]Monitoring, error) {
	var where []string
	var args []any
	add := func(condition string, use bool, values ...any) {
		if use {
			where, args = append(where, condition), append(args, values...)
		}
	}
	add("supervisor_id = ?", f.Supervisor != "", string(f.Supervisor))
	add("session_id = ?", f.Session != "", string(f.Session))
	add("queue_id = ?", f.Queue != "", string(f.Queue))
	add("(ended_at > ? OR ended_at IS NULL)", !f.From.IsZero(), readstore.At(f.From))
	add("started_at < ?", !f.To.IsZero(), readstore.At(f.To))
	add("ended_at IS NULL", f.OpenOnly)
	add("monitoring_key < ?", before > 0, before)
	query := "ORDER BY monitoring_key DESC LIMIT ?"
	if len(where) > 0 {
		query = "WHERE " + strings.Join(where, " AND ") + " " + query
	}
	return r.monitorings(ctx, query, append(args, max(1, min(limit, MaxLimit)))...)
}

// WatchedNow lists all monitorings that last, in the order in which they began.
func (r *Reader) WatchedNow(ctx context.Context) ([]Monitoring, error) {
	return r.monitorings(ctx, "WHERE ended_at IS NULL ORDER BY monitoring_key")
}

// WatchedAt lists all monitorings that lasted at a time, in the order in which they began.
func (r *Reader) WatchedAt(ctx context.Context, at time.Time) ([]Monitoring, error) {
	t := readstore.At(at)
	return r.monitorings(ctx, "WHERE started_at <= ? AND (ended_at > ? OR ended_at IS NULL) ORDER BY monitoring_key", t, t)
}

func (r *Reader) monitorings(ctx context.Context, where string, args ...any) ([]Monitoring, error) {
	rows, err := monitoringTable.Select(ctx, r.q, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]Monitoring, len(rows))
	for i, row := range rows {
		out[i] = Monitoring{
			Key: row.MonitoringKey, SessionID: row.SessionID, QueueID: row.QueueID, Reason: row.Reason,
			Supervisor: session.StaffRef{ID: row.SupervisorID, Name: row.SupervisorName},
			Agent:      session.StaffRef{ID: row.AgentID, Name: row.AgentName},
			StartedAt:  row.StartedAt, JoinedAt: row.JoinedAt, EndedAt: row.EndedAt, EndReason: row.EndReason,
			WatchedMS: (*domain.Millis)(row.WatchedMS), PrivateMessages: int(row.PrivateMessages), PublicMessages: int(row.PublicMessages),
		}
	}
	return out, nil
}
