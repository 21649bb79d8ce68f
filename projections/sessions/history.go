package sessions

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Day is what became of the waits of a queue that began in some stretch of time.
type Day struct {
	Offered, Answered, AnsweredInTarget, Abandoned, ShortAbandoned int
	AnsweredWaitMS                                                 domain.Millis // sum
}

const daySums = `SELECT queue_id, CAST(sum(offered) AS bigint), CAST(sum(answered) AS bigint),
	CAST(sum(answered_in_target) AS bigint), CAST(sum(abandoned) AS bigint), CAST(sum(short_abandoned) AS bigint),
	CAST(sum(answered_wait_ms) AS bigint) FROM agg_queue_15m WHERE queue_id IN ? AND bucket_at >= ? GROUP BY queue_id`

// Since sums up, by queue, the waits in some queues that began at or after a time, which is a whole quarter of an hour.
func (r *Reader) Since(ctx context.Context, queues []domain.QueueID, from time.Time) (map[domain.QueueID]Day, error) {
	rows, err := r.q.Query(ctx, daySums, readstore.Of(queues), readstore.At(from))
	return collectDays(rows, err)
}

const daySumsAt = `SELECT queue_id, count(*), count(*) FILTER (WHERE outcome = 'answered' AND dequeued_at <= ?),
	count(*) FILTER (WHERE in_target AND dequeued_at <= ?), count(*) FILTER (WHERE outcome = 'abandoned' AND dequeued_at <= ?),
	count(*) FILTER (WHERE outcome = 'short_abandoned' AND dequeued_at <= ?),
	CAST(coalesce(sum(wait_ms) FILTER (WHERE outcome = 'answered' AND dequeued_at <= ?), 0) AS bigint)
	FROM fact_queue_segment WHERE enqueued_at >= ? AND enqueued_at <= ? GROUP BY queue_id`

// Between sums up, by queue, the waits that began from one time to another, as it was then: what came after does not count.
func (r *Reader) Between(ctx context.Context, from, at time.Time) (map[domain.QueueID]Day, error) {
	t := readstore.At(at)
	rows, err := r.q.Query(ctx, daySumsAt, t, t, t, t, t, readstore.At(from), t)
	return collectDays(rows, err)
}

func collectDays(rows readstore.Rows, err error) (map[domain.QueueID]Day, error) {
	out := map[domain.QueueID]Day{}
	_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
		var id domain.QueueID
		var d Day
		err := rows.Scan(&id, &d.Offered, &d.Answered, &d.AnsweredInTarget, &d.Abandoned, &d.ShortAbandoned, &d.AnsweredWaitMS)
		out[id] = d
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up waits: %w", err)
	}
	return out, nil
}

var (
	waitTimes = readstore.NewIntervals("fact_queue_segment", "segment_key", "enqueued_at", "dequeued_at")
	turnTimes = readstore.NewIntervals("fact_agent_leg", "leg_key", "started_at", "closed_at")
	waitingAt = `SELECT s.session_key, s.session_id, s.customer_name, coalesce(s.customer_email, ''), s.requested_at,
		w.queue_id, w.queue_name, '', '', w.enqueued_at, NULL, CAST(coalesce((SELECT sum(p.wait_ms) FROM fact_queue_segment
		AS p WHERE p.session_key = w.session_key AND p.dequeued_at <= ?), 0) AS bigint)
		FROM fact_queue_segment AS w JOIN fact_session_step AS s ON s.session_key = w.session_key
		WHERE w.segment_key IN ` + waitTimes.Keys
	servedAt = `SELECT s.session_key, s.session_id, s.customer_name, coalesce(s.customer_email, ''), s.requested_at,
		l.queue_id, coalesce((SELECT w.queue_name FROM fact_queue_segment AS w WHERE w.session_key = l.session_key
		AND w.segment_key < l.leg_key ORDER BY w.segment_key + 0 DESC LIMIT 1), l.queue_id), l.agent_id, l.agent_name, l.started_at,
		CASE WHEN l.ended_at <= ? THEN l.ended_at END, CAST(coalesce((SELECT sum(p.wait_ms) FROM fact_queue_segment
		AS p WHERE p.session_key = l.session_key AND p.dequeued_at <= ?), 0) AS bigint)
		FROM fact_agent_leg AS l JOIN fact_session_step AS s ON s.session_key = l.session_key
		WHERE l.leg_key IN ` + turnTimes.Keys
)

// OpenAt lists the sessions that waited, were with an agent or in wrap-up at a time. What the intervals do not tell is
// missing: an offered session shows as queued, and messages, calls for help and dispositions are zero (the entries of
// transcripts tell the rest).
func (r *Reader) OpenAt(ctx context.Context, at time.Time) ([]Session, error) {
	t := readstore.At(at)
	rows, err := r.q.Query(ctx, waitingAt, append([]any{t}, waitTimes.At(at)...)...)
	waiting, err := readstore.Collect(rows, err, func(rows readstore.Rows) (Session, error) { return scanPast(rows, session.Queued) })
	if err != nil {
		return nil, fmt.Errorf("read waiting sessions: %w", err)
	}
	rows, err = r.q.Query(ctx, servedAt, append([]any{t, t}, turnTimes.At(at)...)...)
	served, err := readstore.Collect(rows, err, func(rows readstore.Rows) (Session, error) { return scanPast(rows, session.Engaged) })
	if err != nil {
		return nil, fmt.Errorf("read sessions with agents: %w", err)
	}
	return append(waiting, served...), nil
}

func scanPast(rows readstore.Rows, state session.Phase) (Session, error) {
	s := Session{State: state}
	var requested, began, ended readstore.Time
	err := rows.Scan(&s.Key, &s.ID, &s.Customer.Name, &s.Customer.Email, &requested, &s.QueueID, &s.QueueName, &s.AgentID,
		&s.AgentName, &began, &ended, &s.WaitMS)
	s.RequestedAt, s.StateSince = requested.Time, began.Time
	if state == session.Queued {
		s.QueuedAt = began.Time
	}
	if !ended.IsZero() {
		s.State, s.StateSince, s.EndedAt = session.WrapUp, ended.Time, ended.Time
	}
	return s, err
}
