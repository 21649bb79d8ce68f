package sessions_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
)

// What is asked of the present, and of an instant of the past, is searched for: its cost does not grow with the history.
func TestReadsUseTheIndexes(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		read func(*sessions.Reader) error
		want [][]string // steps of the plans of its queries
	}{
		"what was open": {
			func(r *sessions.Reader) error { _, err := r.OpenAt(ctx, t0); return err },
			[][]string{
				{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_queue_segment_span (span=? AND enqueued_at<?)", "fact_queue_segment_span (span=? AND enqueued_at>? AND enqueued_at<?)"},
				{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_agent_leg_span (span=? AND started_at<?)", "fact_agent_leg_span (span=? AND started_at>? AND started_at<?)"},
			},
		},
		"what was watched": {
			func(r *sessions.Reader) error { _, err := r.WatchedAt(ctx, t0); return err },
			[][]string{{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_monitoring_span (span=? AND started_at>? AND started_at<?)"}},
		},
		"what was watched for a while": {
			func(r *sessions.Reader) error {
				_, err := r.Supervision(ctx, sessions.SupervisionFilter{From: t0, To: at(60)}, 100, 10)
				return err
			},
			[][]string{{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_monitoring_span (span=? AND started_at>? AND started_at<?)"}},
		},
		"the day so far": {func(r *sessions.Reader) error {
			_, err := r.Since(ctx, []domain.QueueID{"sales", "tech"}, t0)
			return err
		}, [][]string{{"USING PRIMARY KEY (queue_id=? AND bucket_at>?)"}}},
		"a day until now": {func(r *sessions.Reader) error { _, err := r.Between(ctx, t0, at(60)); return err }, [][]string{{"fact_queue_segment_enqueued (enqueued_at>? AND enqueued_at<?)"}}},
		"what is open": {
			func(r *sessions.Reader) error { _, err := r.Open(ctx, []domain.QueueID{"sales"}); return err },
			[][]string{{"fact_session_open (completed_at=? AND queue_id=?)", "parked_event_by_stream (projection=? AND stream=?)"}},
		},
		"what waits for an agent": {
			func(r *sessions.Reader) error {
				_, err := r.List(ctx, sessions.Filter{Visible: &sessions.Scope{Staff: "anna", Serving: []domain.QueueID{"sales"}}}, 100, 10)
				return err
			},
			[][]string{
				{"fact_session_by_agent (agent_id=? AND session_key<?)"},
				{"fact_session_offered (offered_to_id=? AND session_key<?)"},
				{"SEARCH s USING INTEGER PRIMARY KEY (rowid=?)", "fact_monitoring_watching (ended_at=? AND supervisor_id=?)"},
				{"fact_session_open (completed_at=? AND queue_id=? AND session_key<?)"},
			},
		},
		"one session": {func(r *sessions.Reader) error { _, err := r.Session(ctx, "a"); return err }, [][]string{{"(session_id=?)"}}},
		"a list of an agent": {
			func(r *sessions.Reader) error {
				_, err := r.List(ctx, sessions.Filter{Agent: "anna", States: []session.Phase{session.Concluded}}, 100, 10)
				return err
			},
			[][]string{{"fact_session_by_agent (agent_id=? AND session_key<?)"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := &projectiontest.Recorder{DB: projectiontest.Open(t)}
			if err := c.read(sessions.NewReader(db)); err != nil {
				t.Fatal(err)
			}
			if len(db.Queries) != len(c.want) {
				t.Fatalf("%d queries", len(db.Queries))
			}
			for i, q := range db.Queries {
				projectiontest.Searched(t, db.DB, c.want[i], q.Query, q.Args...)
			}
		})
	}
}

// The wait before a turn is looked up by its session, whatever PostgreSQL knows of the table: in the order of keys it would go
// through all waits of others.
func TestTheWaitBeforeATurnIsLookedUp(t *testing.T) {
	ctx := context.Background()
	db := &projectiontest.Recorder{DB: projectiontest.OpenPostgres(t, postgrestest.Database(t))}
	err := db.Write(ctx, func(tx readstore.Tx) error {
		_, err := tx.Exec(`INSERT INTO fact_queue_segment (segment_key, session_key, queue_id, queue_name, service_level_ms, enqueued_at, in_target)
			SELECT n, n, 'sales', 'Sales', 0, now(), false FROM generate_series(1, 20000) AS n`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.NewReader(db).OpenAt(ctx, t0); err != nil {
		t.Fatal(err)
	}
	served := db.Queries[len(db.Queries)-1]
	rows, err := db.DB.Query(ctx, "EXPLAIN "+served.Query, served.Args...)
	plan, err := readstore.Collect(rows, err, func(rows readstore.Rows) (line string, err error) { return line, rows.Scan(&line) })
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "\n"); strings.Contains(text, "Backward") {
		t.Fatal(text)
	}
}
