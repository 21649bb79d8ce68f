package catalogue_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/staffing"
)

// lines reads the rows of a query as text.
func lines(t *rapid.T, db readstore.DB, query string, args ...any) []string {
	rows, err := db.Query(context.Background(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

var intervals = []struct{ table, key, start, end string }{
	{"fact_staff_status", "status_key", "started_at", "ended_at"},
	{"fact_slot", "slot_key", "reserved_at", "released_at"},
	{"fact_queue_segment", "segment_key", "enqueued_at", "dequeued_at"},
	{"fact_agent_leg", "leg_key", "started_at", "closed_at"},
	{"fact_monitoring", "monitoring_key", "started_at", "ended_at"},
}

// checkPast compares what the readers find of the past with plain scans of the tables.
func checkPast(t *rapid.T, db readstore.DB, h *projectiontest.History) {
	ctx := context.Background()
	events := h.Log.Events()
	began := events[0].Metadata.OccurredAt
	for range 3 {
		at := events[rapid.IntRange(0, len(events)-1).Draw(t, "event")].Metadata.OccurredAt.
			Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside")) * time.Microsecond)
		from := began.Add(time.Duration(rapid.Int64Range(0, max(0, int64(at.Sub(began)))).Draw(t, "from")))
		found := map[string]int{}
		for _, i := range intervals {
			times := readstore.NewIntervals(i.table, i.key, i.start, i.end)
			query := "SELECT " + i.key + " FROM " + i.table + " WHERE "
			plain := fmt.Sprintf("%[1]s < ? AND (%[2]s > ? OR %[2]s IS NULL)", i.start, i.end)
			order := " ORDER BY " + i.key
			want := lines(t, db, query+plain+order, readstore.At(at.Add(time.Microsecond)), readstore.At(at))
			if got := lines(t, db, query+i.key+" IN "+times.Keys+order, times.At(at)...); !slices.Equal(got, want) {
				t.Fatalf("%s at %v: %v, a scan finds %v", i.table, at, got, want)
			}
			found[i.table] = len(want)
			want = lines(t, db, query+plain+order, readstore.At(at), readstore.At(from))
			if got := lines(t, db, query+i.key+" IN "+times.Keys+order, times.Between(from, at)...); !slices.Equal(got, want) {
				t.Fatalf("%s from %v to %v: %v, a scan finds %v", i.table, from, at, got, want)
			}
		}
		duty, err1 := staffing.NewReader(db).OnDutyAt(ctx, at)
		open, err2 := sessions.NewReader(db).OpenAt(ctx, at)
		watched, err3 := sessions.NewReader(db).WatchedAt(ctx, at)
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		if len(duty) != found["fact_staff_status"] || len(open) != found["fact_queue_segment"]+found["fact_agent_leg"] ||
			len(watched) != found["fact_monitoring"] {
			t.Fatalf("at %v the readers find %d, %d and %d; the tables hold %v", at, len(duty), len(open), len(watched), found)
		}
	}
}

// checkVersions looks for gaps between the versions of what changes slowly, and for more or less than one that holds.
func checkVersions(t *rapid.T, db readstore.DB) {
	for table, key := range map[string]string{"dim_queue": "queue_id", "dim_profile": "profile_id", "dim_staff": "staff_id"} {
		odd := fmt.Sprintf(`SELECT %[2]s, revision, valid_from, valid_to, is_current, next FROM (SELECT d.%[2]s, d.revision,
			d.valid_from, d.valid_to, d.is_current, (SELECT n.valid_from FROM %[1]s AS n WHERE n.%[2]s = d.%[2]s
			AND n.revision > d.revision ORDER BY n.revision LIMIT 1) AS next FROM %[1]s AS d) AS v
			WHERE valid_to IS DISTINCT FROM next OR is_current <> (next IS NULL) OR valid_to < valid_from`, table, key)
		if found := lines(t, db, odd); len(found) > 0 {
			t.Fatalf("versions of %s: %v", table, found)
		}
	}
	if found := lines(t, db, `SELECT d.staff_id FROM staff_duty AS d LEFT JOIN dim_staff AS v ON v.staff_id = d.staff_id AND v.is_current
		WHERE v.name IS DISTINCT FROM d.name OR v.profile_id IS DISTINCT FROM d.profile_id`); len(found) > 0 {
		t.Fatalf("the version that holds is not the member: %v", found)
	}
}

// checkTime compares the time by quarter with the intervals, each up to the last event of its member.
func checkTime(t *rapid.T, db readstore.DB) {
	const booked = `SELECT agent_id, sum(logged_in_ms), sum(available_ms), sum(session_ms), sum(monitoring_ms)
		FROM agent_time_15m GROUP BY agent_id HAVING sum(logged_in_ms + session_ms + monitoring_ms) > 0 ORDER BY agent_id`
	const lived = `SELECT staff_id, sum(CASE WHEN kind = 'duty' THEN ms ELSE 0 END), sum(CASE WHEN type = 'available' THEN ms ELSE 0 END),
		sum(CASE WHEN kind = 'engagement' THEN ms ELSE 0 END), sum(CASE WHEN kind = 'monitoring' THEN ms ELSE 0 END)
		FROM (SELECT s.staff_id, 'duty' AS kind, status_type AS type,
				coalesce(s.status_ms, (d.accounted_until - s.started_at) / 1000) AS ms
			FROM fact_staff_status AS s JOIN staff_duty AS d ON d.staff_id = s.staff_id
			UNION ALL
			SELECT s.staff_id, s.purpose, '', coalesce(s.held_ms, (d.accounted_until - s.reserved_at) / 1000)
			FROM fact_slot AS s JOIN staff_duty AS d ON d.staff_id = s.staff_id WHERE s.purpose <> 'offer') AS i
		GROUP BY staff_id HAVING sum(ms) > 0 ORDER BY staff_id`
	if got, want := lines(t, db, booked), lines(t, db, lived); !slices.Equal(got, want) {
		t.Fatalf("booked by quarter: %v, the intervals come to %v", got, want)
	}
	const odd = `SELECT agent_id, bucket_at, logged_in_ms, available_ms, busy_ms, session_ms, idle_ms, monitoring_ms FROM agent_time_15m
		WHERE logged_in_ms > 900000 OR busy_ms > 900000 OR available_ms > logged_in_ms OR idle_ms > available_ms OR session_ms < busy_ms
		OR idle_ms + busy_ms > 900000`
	if found := lines(t, db, odd); len(found) > 0 {
		t.Fatalf("more time than there is: %v", found)
	}
}

// checkQuarters compares the aggregates of sessions with the facts of which they are the sums.
func checkQuarters(t *rapid.T, db readstore.DB) {
	for aggregate, facts := range map[string]string{
		"SELECT queue_id, bucket_at, handled, engaged_ms, wrap_up_ms FROM agg_queue_15m WHERE handled > 0 ORDER BY queue_id, bucket_at": `SELECT
			queue_id, started_at / 900000000 * 900000000 AS q, count(*), sum(engaged_ms), sum(wrap_up_ms)
			FROM fact_agent_leg WHERE closed_at IS NOT NULL GROUP BY queue_id, q ORDER BY queue_id, q`,
		"SELECT queue_id, bucket_at, responded, first_response_ms FROM agg_queue_15m WHERE responded > 0 ORDER BY queue_id, bucket_at": `SELECT
			requested_queue_id, requested_at / 900000000 * 900000000 AS q, count(*), sum(first_response_ms)
			FROM fact_session WHERE first_response_ms IS NOT NULL GROUP BY requested_queue_id, q ORDER BY requested_queue_id, q`,
		"SELECT coalesce(sum(helped), 0), coalesce(sum(time_to_help_ms), 0) FROM agg_queue_15m": `SELECT
			coalesce(sum(helped), 0), coalesce(sum(time_to_help_ms), 0) FROM fact_session`,
		"SELECT agent_id, bucket_at, answered, assigned, handled, engaged_ms, wrap_up_ms FROM agent_handling_15m ORDER BY agent_id, bucket_at": `SELECT
			agent_id, started_at / 900000000 * 900000000 AS q, sum(NOT assigned), sum(assigned), count(closed_at),
			coalesce(sum(engaged_ms) FILTER (WHERE closed_at IS NOT NULL), 0), coalesce(sum(wrap_up_ms), 0)
			FROM fact_agent_leg GROUP BY agent_id, q ORDER BY agent_id, q`,
		"SELECT sum(handled), sum(busy_ms) FROM agg_agent_15m": `SELECT
			(SELECT sum(handled) FROM agent_handling_15m), (SELECT sum(busy_ms) FROM agent_time_15m)
			WHERE EXISTS (SELECT 1 FROM agent_handling_15m) AND EXISTS (SELECT 1 FROM agent_time_15m)`,
	} {
		got, want := lines(t, db, aggregate), lines(t, db, facts)
		if len(want) == 0 && len(got) == 1 {
			continue // the sums of nothing
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %v, the facts come to %v", aggregate, got, want)
		}
	}
}
