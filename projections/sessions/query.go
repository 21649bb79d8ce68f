package sessions

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
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

	// Incomplete: some events could not be taken into the rows above, or into the transcript. Which they are may be the
	// business of supervisors and auditors alone, and so is that there are any.
	Incomplete bool
}

// The rows themselves are read, and not fact_session, which does not have the customer.
const selectSession = `SELECT s.session_key, s.session_id, s.customer_name, coalesce(s.customer_email, ''), s.requested_queue_id,
	s.queue_id, s.queue_name, s.state, s.state_since, s.requested_at, s.queued_at, coalesce(s.offered_to_id, ''),
	s.offer_expires_at, coalesce(s.agent_id, ''), coalesce(s.agent_name, ''), s.engaged_at, s.ended_at, s.completed_at,
	s.wrap_up_until, s.wait_ms, s.first_response_ms, s.help_requested_at, s.transfers, coalesce(s.end_reason, ''),
	coalesce(s.disposition, ''), a.messages, a.customer_messages, a.agent_messages, a.private_messages,
	a.last_customer_message_at, a.last_agent_message_at, ` + incomplete + `
	FROM fact_session_step AS s JOIN fact_session_activity AS a ON a.session_key = s.session_key `

// Whether events of a session are missing in its rows or in its transcript.
const (
	parkedOf   = "SELECT 1 FROM parked_event AS p WHERE p.projection IN ('sessions', 'transcript') AND p.stream = "
	incomplete = "EXISTS (" + parkedOf + "'session-' || s.session_id)"
)

func scanSession(rows readstore.Rows) (Session, error) {
	var s Session
	var since, requested, queued, offer, engaged, ended, completed, wrapUp, help, customer, agent readstore.Time
	err := rows.Scan(&s.Key, &s.ID, &s.Customer.Name, &s.Customer.Email, &s.RequestedQueueID, &s.QueueID, &s.QueueName,
		&s.State, &since, &requested, &queued, &s.OfferedTo, &offer, &s.AgentID, &s.AgentName, &engaged, &ended, &completed,
		&wrapUp, &s.WaitMS, &s.FirstResponseMS, &help, &s.Transfers, &s.EndReason, &s.Disposition, &s.Messages,
		&s.CustomerMessages, &s.AgentMessages, &s.PrivateMessages, &customer, &agent, &s.Incomplete)
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
	found, err := r.sessions(ctx, "WHERE s.session_id = ?", string(id))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Incomplete tells whether some events of a session could not be taken into its rows or its transcript.
func (r *Reader) Incomplete(ctx context.Context, id domain.SessionID) (bool, error) {
	rows, err := r.q.Query(ctx, parkedOf+"? LIMIT 1", eventcodec.SessionPrefix+string(id))
	found, err := readstore.Collect(rows, err, func(rows readstore.Rows) (n int, err error) { return n, rows.Scan(&n) })
	if err != nil {
		return false, fmt.Errorf("find out what is missing of a session: %w", err)
	}
	return len(found) > 0, nil
}

// Open lists all sessions on which somebody has something to do, oldest first: those in some queues, or in all for nil.
func (r *Reader) Open(ctx context.Context, queues []domain.QueueID) ([]Session, error) {
	if queues == nil {
		return r.sessions(ctx, "WHERE s.completed_at IS NULL ORDER BY s.session_key")
	}
	return r.sessions(ctx, "WHERE s.completed_at IS NULL AND s.queue_id IN ? ORDER BY s.session_key", readstore.Of(queues))
}

func (r *Reader) sessions(ctx context.Context, where string, args ...any) ([]Session, error) {
	rows, err := r.q.Query(ctx, selectSession+where, args...)
	out, err := readstore.Collect(rows, err, scanSession)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return out, nil
}
