package transcript_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

const (
	id     = domain.SessionID("0198a000-0000-7000-8000-000000000001")
	stream = "session-" + string(id)
)

var (
	t0    = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	sales = session.QueueRef{ID: "sales", Name: "Sales"}
	anna  = session.StaffRef{ID: "anna", Name: "Anna"}
	ben   = session.StaffRef{ID: "ben", Name: "Ben"}
	sue   = session.StaffRef{ID: "sue", Name: "Sue"}

	customer   = session.Reader{As: session.ToCustomer}
	asAnna     = session.Reader{As: session.ToAgent, StaffID: "anna"}
	asBen      = session.Reader{As: session.ToAgent, StaffID: "ben"}
	supervisor = session.Reader{As: session.ToSupervisor, StaffID: "sue"}
	auditor    = session.Reader{As: session.ToAuditor}
)

func watched() []session.Event {
	return []session.Event{
		session.SessionRequested{SessionID: id, Queue: sales, Customer: session.Customer{Name: "Carl", Email: "c@x"}, Question: "help?", RequestedAt: t0},
		session.SessionQueued{Queue: sales, QueuedAt: t0},
		session.SessionOffered{Agent: ben, ReservationID: "r0", ExpiresAt: t0},
		session.OfferDeclined{Agent: ben, ReservationID: "r0"},
		session.SessionOffered{Agent: anna, ReservationID: "r1", ExpiresAt: t0},
		session.AgentJoined{Agent: anna, ReservationID: "r1", JoinedAt: t0, Queue: sales, First: true},
		session.PublicMessageSent{MessageID: "m1", Sender: session.Sender{ID: "anna", Role: domain.RoleAgent, Name: "Anna"}, Text: "hello"},
		session.SupervisorStartedMonitoring{Supervisor: sue, ReservationID: "r2", Reason: "training", QueueID: "sales", Agent: anna},
		session.PrivateMessageSent{MessageID: "m2", Sender: session.Sender{ID: "sue", Role: domain.RoleSupervisor, Name: "Sue"}, Text: "offer a refund"},
		session.PublicMessageSent{MessageID: "m3", Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"}, Text: "well?"},
		session.SessionConcluded{Agent: anna, ReservationID: "r1", Reason: session.ConcludedByAgent, By: session.Actor{ID: "anna", Role: domain.RoleAgent}},
	}
}

func read(t *testing.T, db readstore.DB, reader session.Reader, after int64, limit int) []string {
	t.Helper()
	entries, err := transcript.NewReader(db).Query(context.Background(), id, reader, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries {
		who := "-"
		if e.Sender != nil {
			who = fmt.Sprintf("%s/%s/%s", e.Sender.ID, e.Sender.Role, e.Sender.Name)
		}
		lines = append(lines, fmt.Sprintf("%d %s %s %s %s", e.Seq, e.Type, e.Visibility, who, e.Text))
	}
	return lines
}

func TestEachReaderSeesTheirOwnTranscript(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	projectiontest.Append(log, stream, t0, watched()...)
	projectiontest.Apply(t, db, log, transcript.New())

	for _, c := range []struct {
		name   string
		reader session.Reader
		want   []string
	}{
		{"customer", customer, []string{
			"1 SessionRequested public /customer/Carl help?",
			"2 AgentJoined public /agent/Anna ",
			"3 PublicMessageSent public /agent/Anna hello",
			"4 PublicMessageSent public /customer/Carl well?",
			"5 SessionConcluded public - ",
		}},
		{"agent", asAnna, []string{
			"1 SessionRequested public /customer/Carl help?",
			"2 SessionOffered private anna/agent/Anna ",
			"3 AgentJoined public anna/agent/Anna ",
			"4 PublicMessageSent public anna/agent/Anna hello",
			"5 PrivateMessageSent private sue/supervisor/Sue offer a refund",
			"6 PublicMessageSent public /customer/Carl well?",
			"7 SessionConcluded public anna/agent/ agent",
		}},
		{"supervisor", supervisor, []string{
			"1 SessionRequested public /customer/Carl help?",
			"2 SessionOffered private ben/agent/Ben ",
			"3 OfferDeclined private ben/agent/Ben ",
			"4 SessionOffered private anna/agent/Anna ",
			"5 AgentJoined public anna/agent/Anna ",
			"6 PublicMessageSent public anna/agent/Anna hello",
			"7 SupervisorStartedMonitoring private sue/supervisor/Sue training",
			"8 PrivateMessageSent private sue/supervisor/Sue offer a refund",
			"9 PublicMessageSent public /customer/Carl well?",
			"10 SessionConcluded public anna/agent/ agent",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, db, c.reader, -1, 100)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := len(read(t, db, auditor, -1, 100)); got != len(watched()) {
		t.Errorf("an auditor sees %d entries, want all %d", got, len(watched()))
	}
	if got := read(t, db, session.Reader{}, -1, 100); got != nil {
		t.Errorf("a reader without a role sees %v", got)
	}
}

func TestNumbersGoOnFromPageToPage(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	projectiontest.Append(log, stream, t0, watched()...)
	projectiontest.Apply(t, db, log, transcript.New())
	for _, reader := range []session.Reader{customer, asAnna, asBen, supervisor, auditor} {
		whole := read(t, db, reader, -1, 100)
		var paged []string
		for after := int64(-1); ; {
			entries, err := transcript.NewReader(db).Query(context.Background(), id, reader, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == 0 {
				break
			}
			paged = append(paged, read(t, db, reader, after, 1)...)
			after = int64(entries[0].Revision)
		}
		if diff := cmp.Diff(whole, paged); diff != "" {
			t.Errorf("%v: %s", reader, diff)
		}
	}
}

func TestARedactedTextIsNowhere(t *testing.T) {
	redacted := session.MessageRedacted{MessageID: "m1", Revision: 6, Visibility: session.Public}
	private := session.MessageRedacted{MessageID: "m2", Revision: 8, Visibility: session.Private}
	for _, batches := range []string{"in one batch", "in batches of their own"} {
		t.Run(batches, func(t *testing.T) {
			db, log := projectiontest.Open(t), &projectiontest.Log{}
			projectiontest.Append(log, stream, t0, watched()...)
			if batches != "in one batch" {
				projectiontest.Apply(t, db, log, transcript.New())
			}
			projectiontest.Append[session.Event](log, stream, t0, redacted, private)
			projectiontest.Apply(t, db, log, transcript.New())
			rows, err := readstore.Dump(context.Background(), db, "transcript_entry")
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"hello", "offer a refund"} {
				if strings.Contains(strings.Join(rows, "\n"), text) {
					t.Errorf("%q is still in the table", text)
				}
			}
			if got := read(t, db, customer, 10, 10); len(got) != 1 || got[0] != "6 MessageRedacted public - " {
				t.Errorf("the customer is told %q", got)
			}
		})
	}
}

func TestNumbersGoOnAfterARestart(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	for _, e := range watched() {
		projectiontest.Append(log, stream, t0, e)
		projectiontest.Apply(t, db, log, transcript.New()) // each knows nothing but the tables
	}
	other := projectiontest.Open(t)
	projectiontest.Apply(t, other, log, transcript.New())
	projectiontest.Equal(t, projectiontest.Dump(t, other, transcript.New()), projectiontest.Dump(t, db, transcript.New()))
}

func TestPagesUseTheIndex(t *testing.T) {
	db := projectiontest.Open(t)
	for view, where := range map[string]string{
		"transcript_customer": "", "transcript_supervisor": "", "transcript_auditor": "",
		"transcript_agent": "AND (own_staff_id IS NULL OR own_staff_id = 'anna')",
	} {
		rows, err := db.Query(context.Background(), "EXPLAIN QUERY PLAN SELECT text FROM "+view+
			" WHERE session_id = 's' AND revision > 5 "+where+" ORDER BY revision LIMIT 10")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var n int
			var detail string
			if err := rows.Scan(&n, &n, &n, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s: %s", view, detail)
			}
		}
		_ = rows.Close()
	}
}

func TestATranscriptOfWhichEventsAreParkedIsIncomplete(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	projectiontest.Append(log, stream, t0, watched()...)
	projectiontest.Apply(t, db, log, transcript.New())
	incomplete := func(id domain.SessionID) bool {
		t.Helper()
		missing, err := transcript.NewReader(db).Incomplete(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		return missing
	}
	if incomplete(id) {
		t.Error("it is whole")
	}
	unknown := projections.Decoded{Err: &eventcodec.UnknownEvent{Type: "FromTheFuture", Version: 1}}
	unknown.Stream, unknown.Type = stream, "FromTheFuture"
	log.Add(unknown)
	projectiontest.Apply(t, db, log, transcript.New())
	if !incomplete(id) || incomplete("another") {
		t.Error("an event is missing, of this session alone")
	}
}
