package snapshot_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/snapshot"
)

const (
	queueColumns = `queue_id, name, waiting, oldest_wait_ms, engaged, in_wrap_up, monitored, agents_logged_in, agents_available, idle_sessions,
		service_level_ms, service_level_today, offered_today, answered_today, answered_in_target_today, abandoned_today,
		short_abandoned_today, alert`
	agentColumns = `staff_id, name, status, status_type, time_in_status_ms, sessions_in_use, max_sessions, idle_sessions, oldest_session_ms,
		help_requested`
	sessionColumns = `session_id, queue_id, queue_name, coalesce(agent_id, ''), coalesce(agent_name, ''), customer_name, state, requested_at,
		time_in_state_ms, wait_ms, duration_ms, last_customer_message_age_ms, last_agent_message_age_ms, messages, help_requested,
		coalesce(monitored_by, '')`
)

// span is a duration that two readings a moment apart may disagree about.
type span float64

// table is rows in the order of their first column.
type table [][]any

// lines of a snapshot as the views have them.
func lines(s *snapshot.Snapshot) (queues, agents, sessions table) {
	optional := func(n *domain.Millis) any {
		if n == nil {
			return nil
		}
		return span(*n)
	}
	for _, q := range s.Queues {
		var level any
		if q.ServiceLevelToday != nil {
			level = *q.ServiceLevelToday
		}
		queues = append(queues, []any{
			string(q.ID), q.Name, q.Waiting, optional(q.OldestWaitMS), q.Engaged, q.InWrapUp, q.Monitored, q.AgentsLoggedIn,
			q.AgentsAvailable, q.IdleSessions, int(q.ServiceLevelMS), level, q.OfferedToday, q.AnsweredToday, q.AnsweredInTargetToday,
			q.AbandonedToday, q.ShortAbandonedToday, string(q.Alert),
		})
	}
	for _, a := range s.Agents {
		agents = append(agents, []any{
			string(a.ID), a.Name, string(a.Status), string(a.StatusType), span(a.TimeInStatusMS), a.SessionsInUse, a.MaxSessions,
			a.IdleSessions, optional(a.OldestSessionMS), a.HelpRequested,
		})
	}
	for _, x := range s.Sessions {
		var id, name string
		if x.Agent != nil {
			id, name = string(x.Agent.ID), x.Agent.Name
		}
		var by []string
		for _, w := range x.MonitoredBy {
			by = append(by, string(w.ID))
		}
		sessions = append(sessions, []any{
			string(x.ID), string(x.QueueID), x.QueueName, id, name, x.Customer.Name, string(x.State), x.RequestedAt.UTC(),
			span(x.TimeInStateMS), span(x.WaitMS), span(x.DurationMS), optional(x.LastCustomerMessageAgeMS), optional(x.LastAgentMessageAgeMS),
			x.Messages, x.HelpRequested, strings.Join(by, ","),
		})
	}
	slices.SortFunc(sessions, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	return queues, agents, sessions
}

// ask reads a view; the columns whose names say so are durations that may be a moment off.
func ask(t *testing.T, db readstore.DB, columns, from string, args ...any) table {
	t.Helper()
	rows, err := db.Query(context.Background(), "SELECT "+columns+" FROM "+from+" ORDER BY 1", args...)
	out, err := readstore.Collect(rows, err, func(rows readstore.Rows) ([]any, error) {
		names := strings.Split(strings.Join(strings.Fields(strings.NewReplacer("coalesce(", "", ", '')", "").Replace(columns)), ""), ",")
		row, targets := make([]any, len(names)), make([]any, len(names))
		for i, name := range names {
			targets[i] = target(name)
		}
		err := rows.Scan(targets...)
		for i, name := range names {
			row[i] = value(name, targets[i])
		}
		return row, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func target(name string) any {
	switch {
	case name == "service_level_today":
		return new(*float64)
	case name == "service_level_ms":
		return new(int)
	case strings.HasSuffix(name, "_ms"):
		return new(*int64)
	case name == "requested_at":
		return new(readstore.Time)
	case name == "help_requested":
		return new(bool)
	case slices.Contains([]string{
		"queue_id", "name", "alert", "staff_id", "status", "status_type", "session_id", "queue_name", "agent_id", "agent_name",
		"customer_name", "state", "monitored_by",
	}, name):
		return new(string)
	}
	return new(int)
}

func value(name string, target any) any {
	switch v := target.(type) {
	case **float64:
		if *v == nil {
			return nil
		}
		return **v
	case **int64:
		if *v == nil {
			return nil
		}
		return span(**v)
	case *readstore.Time:
		return v.Time.UTC()
	case *bool:
		return *v
	case *string:
		return *v
	case *int:
		return *v
	}
	panic(fmt.Sprintf("%s: %T", name, target))
}

// lived makes a random history, in which things go on at the end.
func lived(seed uint64, steps int) (*projectiontest.Log, []time.Time) {
	random := rand.New(rand.NewPCG(seed, 7))
	h := &projectiontest.History{Log: &projectiontest.Log{}, Pick: random.IntN}
	h.Begin()
	for range steps {
		h.Step()
	}
	var times []time.Time
	for _, e := range h.Log.Events() {
		times = append(times, e.Metadata.OccurredAt)
	}
	return h.Log, times
}

func TestTheViewsShowWhatTheSnapshotShows(t *testing.T) {
	moment := cmp.Comparer(func(a, b span) bool { return math.Abs(float64(a-b)) < 60_000 })
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			log, _ := lived(1, 600)
			projectiontest.Apply(t, db, log, catalogue.All()...)
			s, err := snapshot.NewReader(db).Snapshot(context.Background(), nil, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			queues, agents, sessions := lines(s)
			if len(sessions) == 0 {
				t.Fatal("nothing goes on")
			}
			for view, c := range map[string]struct {
				columns string
				want    table
			}{
				"queue_snapshot": {queueColumns, queues}, "queue_snapshot_agent": {agentColumns, agents},
				"queue_snapshot_session": {sessionColumns, sessions},
			} {
				if diff := cmp.Diff(c.want, ask(t, db, c.columns, view), moment); diff != "" {
					t.Errorf("%s:\n%s", view, diff)
				}
			}
		})
	}
}

func TestTheFunctionsShowWhatThePastSnapshotShows(t *testing.T) {
	db := projectiontest.OpenPostgres(t, postgrestest.Database(t))
	log, times := lived(2, 600)
	projectiontest.Apply(t, db, log, catalogue.All()...)
	reader, seen := snapshot.NewReader(db), 0
	for i := 0; i < len(times); i += 7 {
		for _, at := range []time.Time{times[i], times[i].Add(-time.Microsecond), times[i].Add(1500 * time.Microsecond)} {
			s, err := reader.SnapshotAt(context.Background(), nil, at)
			if err != nil {
				t.Fatal(err)
			}
			queues, agents, sessions := lines(s)
			seen += len(sessions)
			for name, c := range map[string]struct {
				columns string
				want    table
			}{
				"queue_snapshot_at": {queueColumns, queues}, "queue_snapshot_agent_at": {agentColumns, agents},
				"queue_snapshot_session_at": {sessionColumns, sessions},
			} {
				if diff := cmp.Diff(c.want, ask(t, db, c.columns, name+"(?)", readstore.At(at))); diff != "" {
					t.Fatalf("%s at %v:\n%s", name, at, diff)
				}
			}
		}
	}
	if seen < 100 {
		t.Fatalf("%d sessions only", seen)
	}
}
