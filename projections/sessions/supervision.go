package sessions

import (
	"context"
	"strings"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

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

var watchTimes = readstore.NewIntervals("fact_monitoring", "monitoring_key", "started_at", "ended_at")

// searchedWindow is how long a stretch of time may be for all of it to be looked up and sorted for a page. A longer one holds
// so much that going through the list from its end finds a page sooner.
const searchedWindow = 31 * 24 * time.Hour

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
	if window := f.To.Sub(f.From); !f.From.IsZero() && !f.To.IsZero() && window <= searchedWindow {
		add("monitoring_key IN "+watchTimes.Keys, true, watchTimes.Between(f.From, f.To)...)
	} else {
		add("(ended_at > ? OR ended_at IS NULL)", !f.From.IsZero(), readstore.At(f.From))
		add("started_at < ?", !f.To.IsZero(), readstore.At(f.To))
	}
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
	return r.monitorings(ctx, "WHERE monitoring_key IN "+watchTimes.Keys+" ORDER BY monitoring_key", watchTimes.At(at)...)
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
