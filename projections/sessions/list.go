package sessions

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Filter selects sessions; zero fields select all.
type Filter struct {
	States []session.Phase
	Queue  domain.QueueID
	Agent  domain.StaffID // who has it or had it last
	// Visible bounds what is listed to what a staff member may know of; nil for everything.
	Visible *Scope
}

// Scope is what a staff member may know of: their own sessions, those offered to them, those that they watch, all
// sessions of the queues that they supervise, and those that wait in the queues that they serve.
type Scope struct {
	Staff      domain.StaffID
	Supervised []domain.QueueID
	Serving    []domain.QueueID
}

// List lists sessions, latest request first: those before a key (0 for the first page), at most limit.
//
// Each way in which a session can be visible is a query of its own, which walks an index in the order of the list and
// stops at the limit; the results are merged. So a page costs the same whatever the history.
func (r *Reader) List(ctx context.Context, f Filter, before int64, limit int) ([]Session, error) {
	limit = max(1, min(limit, MaxLimit))
	if f.Visible == nil {
		return r.walk(ctx, f, condition{}, before, limit)
	}
	var out []Session
	for _, way := range f.Visible.ways(f) {
		found, err := r.walk(ctx, f, way, before, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Session) int { return cmp.Compare(b.Key, a.Key) })
	out = slices.CompactFunc(out, func(a, b Session) bool { return a.Key == b.Key })
	return out[:min(limit, len(out))], nil
}

// condition is a piece of SQL with its parameters.
type condition struct {
	sql  string
	args []any
}

// ways lists the conditions of visibility that can hold under the filter.
func (s *Scope) ways(f Filter) []condition {
	staff := string(s.Staff)
	out := []condition{
		{"s.agent_id = ?", []any{staff}},
		{"s.offered_to_id = ?", []any{staff}},
		{"s.session_key IN (SELECT session_key FROM fact_monitoring WHERE supervisor_id = ? AND ended_at IS NULL)", []any{staff}},
	}
	for _, q := range s.Supervised {
		if f.Queue == "" || f.Queue == q {
			out = append(out, condition{"s.queue_id = ?", []any{string(q)}})
		}
	}
	for _, q := range s.Serving {
		if (f.Queue == "" || f.Queue == q) && !slices.Contains(s.Supervised, q) {
			out = append(out, condition{"s.completed_at IS NULL AND s.state IN ('queued', 'offered') AND s.queue_id = ?", []any{string(q)}})
		}
	}
	return out
}

// walk lists the sessions of one condition that pass the filter.
func (r *Reader) walk(ctx context.Context, f Filter, c condition, before int64, limit int) ([]Session, error) {
	var where []string
	var args []any
	add := func(sql string, values ...any) {
		where, args = append(where, sql), append(args, values...)
	}
	if c.sql != "" {
		add(c.sql, c.args...)
	}
	if f.Queue != "" {
		add("s.queue_id = ?", string(f.Queue))
	}
	if f.Agent != "" {
		add("s.agent_id = ?", string(f.Agent))
	}
	if len(f.States) > 0 {
		add("s.state IN ?", readstore.Of(f.States))
		if !slices.ContainsFunc(f.States, func(p session.Phase) bool { return p == session.Concluded || p == session.Abandoned }) {
			add("s.completed_at IS NULL") // the index of open sessions
		}
	}
	if before > 0 {
		add("s.session_key < ?", before)
	}
	query := "ORDER BY s.session_key DESC LIMIT ?"
	if len(where) > 0 {
		query = "WHERE " + strings.Join(where, " AND ") + " " + query
	}
	return r.sessions(ctx, query, append(args, limit)...)
}
