package catalogue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// Whatever happens, the tables hold what the log says, to each reader what they may see, and the same after a rebuild.
func TestRandomHistories(t *testing.T) {
	open := projectiontest.Copies(t)
	rapid.Check(t, func(rt *rapid.T) {
		db, log := open(), &projectiontest.Log{Step: rapid.IntRange(1, 50).Draw(rt, "batch")}
		defer db.Close()
		h := &projectiontest.History{Log: log, Pick: func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") }}
		h.Begin()
		for range rapid.IntRange(1, 3).Draw(rt, "restarts") {
			for range rapid.IntRange(1, 50).Draw(rt, "steps") {
				h.Step()
			}
			projectiontest.Apply(t, db, log, catalogue.All()...)
		}
		live := projectiontest.Dump(t, db, catalogue.All()...)
		if len(live["parked_event"]) > 0 {
			rt.Fatalf("events were parked: %s", live["parked_event"])
		}
		checkTranscripts(rt, db, h)
		checkSessions(rt, db, h)
		checkPast(rt, db, h)
		checkVersions(rt, db)
		checkTime(rt, db)
		checkQuarters(rt, db)
		if err := projections.Rebuild(context.Background(), db, log, catalogue.All(), projections.Rebuilding{}); err != nil {
			rt.Fatal(err)
		}
		projectiontest.Equal(t, live, projectiontest.Dump(t, db, catalogue.All()...))
	})
}

func checkTranscripts(t *rapid.T, db readstore.DB, h *projectiontest.History) {
	reader := transcript.NewReader(db)
	for id, state := range h.Sessions {
		for _, as := range h.Readers() {
			after, seq := int64(-1), uint64(0)
			for {
				page, err := reader.Query(context.Background(), id, as, after, 7)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, e := range page {
					if seq++; e.Seq != seq {
						t.Fatalf("%v gets number %d after %d", as, e.Seq, seq-1)
					}
					if as.As == session.ToCustomer && strings.Contains(fmt.Sprintf("%+v %+v", e, e.Sender), projectiontest.Secret) {
						t.Fatalf("the customer sees a %s with a secret", e.Type)
					}
					after = int64(e.Revision)
				}
			}
			if want := state.Seen(as); seq != want {
				t.Fatalf("%v sees %d entries, the domain says %d", as, seq, want)
			}
		}
	}
	rows, err := db.Query(context.Background(), "SELECT coalesce(public_sender_name, '') || coalesce(public_text, '') FROM transcript_entry")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil || strings.Contains(text, projectiontest.Secret) {
			t.Fatalf("a public column holds a secret (%v)", err)
		}
	}
}

func checkSessions(t *rapid.T, db readstore.DB, h *projectiontest.History) {
	reader := sessions.NewReader(db)
	for id, want := range h.Sessions {
		got, err := reader.Session(context.Background(), id)
		if err != nil || got == nil {
			t.Fatalf("no session %s: %v", id, err)
		}
		if got.State != want.Phase || got.QueueID != want.Queue.ID || got.AgentID != want.Agent.ID ||
			got.OfferedTo != want.Offer.Agent.ID || got.HelpRequestedAt.IsZero() == want.HelpRequested ||
			got.Disposition != want.Disposition {
			t.Fatalf("session %s is %+v, the domain says %+v", id, got, want)
		}
		open, err := reader.Supervision(context.Background(), sessions.SupervisionFilter{Session: id, OpenOnly: true}, 0, 100)
		if err != nil || len(open) != len(want.Watchers) {
			t.Fatalf("session %s has %d watchers, the domain says %d (%v)", id, len(open), len(want.Watchers), err)
		}
	}
	const differing = `SELECT count(*) FROM agg_queue_15m AS a WHERE offered <> (SELECT count(*) FROM fact_queue_segment AS s
		WHERE s.queue_id = a.queue_id AND s.enqueued_at >= a.bucket_at AND s.enqueued_at < a.bucket_at + 900000000)
		OR offered < answered + assigned + transferred + closed + abandoned + short_abandoned OR answered < answered_in_target`
	rows, err := db.Query(context.Background(), differing)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil || n > 0 {
			t.Fatalf("%d rows of agg_queue_15m differ from the segments (%v)", n, err)
		}
	}
}
