package sessions_test

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
	"github.com/chatwatch/chatwatch/projections/sessions"
)

var (
	t0    = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	sales = session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 20_000, ShortAbandonMS: 5_000}
	tech  = session.QueueRef{ID: "tech", Name: "Tech", ServiceLevelMS: 60_000}
	anna  = session.StaffRef{ID: "anna", Name: "Anna"}
	ben   = session.StaffRef{ID: "ben", Name: "Ben"}
	sue   = session.StaffRef{ID: "sue", Name: "Sue"}
)

// at is a time so many seconds after the start.
func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

type script struct {
	t   *testing.T
	db  readstore.DB
	log *projectiontest.Log
}

func newScript(t *testing.T) *script {
	return &script{t, projectiontest.Open(t), &projectiontest.Log{}}
}

func (s *script) happened(id string, second int, events ...session.Event) {
	projectiontest.Append(s.log, "session-"+id, at(second), events...)
}

// requested begins a session that waits in a queue.
func (s *script) requested(id string, second int, q session.QueueRef) {
	s.happened(id, second,
		session.SessionRequested{SessionID: domain.SessionID(id), Queue: q, Customer: session.Customer{Name: "Carl", Email: "c@x"}, RequestedAt: at(second)},
		session.SessionQueued{Queue: q, QueuedAt: at(second)})
}

func (s *script) accepted(id string, second, waited int, q session.QueueRef, agent session.StaffRef) {
	s.happened(id, second, session.AgentJoined{
		Agent: agent, ReservationID: "r", JoinedAt: at(second), Queue: q, WaitedMS: domain.Millis(waited * 1000), First: true,
	})
}

func (s *script) project() { projectiontest.Apply(s.t, s.db, s.log, sessions.New()) }

// table gives some columns of a table, a line a row, in the order of the key.
func (s *script) table(query string) []string {
	s.t.Helper()
	rows, err := s.db.Query(context.Background(), query)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	return out
}

func (s *script) expect(query string, want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.table(query)); diff != "" {
		s.t.Errorf("%s:\n%s", query, diff)
	}
}

func TestAnAnswerCountsInTheQuarterInWhichTheWaitBegan(t *testing.T) {
	s := newScript(t)
	s.requested("a", 890, sales) // the last seconds of a quarter
	s.happened("a", 900, session.SessionOffered{Agent: ben, ReservationID: "r0"})
	s.happened("a", 903, session.OfferExpired{Agent: ben, ReservationID: "r0"})
	s.accepted("a", 905, 15, sales, anna)
	s.requested("b", 895, sales)
	s.accepted("b", 925, 30, sales, anna)
	s.project()
	s.expect("SELECT queue_id, wait_ms, outcome, in_target, agent_id FROM fact_queue_segment ORDER BY segment_key",
		"sales 15000 answered 1 anna", "sales 30000 answered 0 anna")
	s.expect("SELECT (bucket_at / 1000000) % 3600, offered, answered, answered_in_target, answered_wait_ms FROM agg_queue_15m",
		"0 2 2 1 45000")
	s.expect("SELECT state, offers, expiries, offered_to_id, wait_ms FROM fact_session ORDER BY session_key",
		"engaged 1 1 <nil> 15000", "engaged 0 0 <nil> 30000")
}

func TestAnAssignmentIsNotAnAnswer(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.happened("a", 10,
		session.SessionTransferred{FromQueueID: "sales", ToQueueID: "sales", To: ben},
		session.AgentJoined{Agent: ben, ReservationID: "r", Assigned: true, JoinedAt: at(10), Queue: sales, WaitedMS: 10_000, First: true})
	s.project()
	s.expect("SELECT outcome, wait_ms, agent_id FROM fact_queue_segment", "assigned 10000 ben")
	s.expect("SELECT offered, answered, assigned, answered_wait_ms FROM agg_queue_15m", "1 0 1 0")
	s.expect("SELECT agent_id, assigned FROM fact_agent_leg", "ben 1")
}

func TestShortAbandonmentsAreCountedApart(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.happened("a", 3, session.SessionAbandoned{Queue: sales, WaitedMS: 3000, Short: true})
	s.requested("b", 0, sales)
	s.happened("b", 50, session.SessionAbandoned{Queue: sales, WaitedMS: 50_000})
	s.project()
	s.expect("SELECT offered, answered, abandoned, short_abandoned, abandoned_wait_ms FROM agg_queue_15m", "2 0 1 1 53000")
	s.expect("SELECT state, end_reason, short_abandon, wait_ms, completed_at = ended_at FROM fact_session ORDER BY session_key",
		"abandoned abandoned 1 3000 1", "abandoned abandoned 0 50000 1")
}

func TestATransferBeginsAnotherWaitAndAnotherLeg(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.accepted("a", 10, 10, sales, anna)
	s.happened("a", 40,
		session.SessionTransferred{FromQueueID: "sales", From: anna, ToQueueID: "tech", ToQueueName: "Tech"},
		session.SessionQueued{Queue: tech, QueuedAt: at(40)})
	s.happened("a", 60, session.AgentJoined{Agent: ben, ReservationID: "r2", JoinedAt: at(60), Queue: tech, WaitedMS: 20_000})
	until := at(120)
	s.happened("a", 90, session.SessionConcluded{Agent: ben, Reason: session.ConcludedByAgent, WrapUpUntil: &until})
	s.happened("a", 100, session.WrapUpCompleted{Agent: ben, Disposition: "solved"})
	s.project()
	s.expect("SELECT queue_id, wait_ms, outcome FROM fact_queue_segment ORDER BY segment_key", "sales 10000 answered", "tech 20000 answered")
	s.expect("SELECT agent_id, queue_id, engaged_ms, wrap_up_ms, end_reason FROM fact_agent_leg ORDER BY leg_key",
		"anna sales 30000 0 transferred", "ben tech 30000 10000 agent")
	s.expect("SELECT requested_queue_id, queue_id, agent_id, state, segments, legs, transfers, wait_ms, engaged_ms, wrap_up_ms, disposition FROM fact_session",
		"sales tech ben concluded 2 2 1 30000 60000 10000 solved")
}

func TestTheFirstResponseIsTheFirstPublicMessageOfAnAgent(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.accepted("a", 10, 10, sales, anna)
	agent, customer := session.Sender{ID: "anna", Role: domain.RoleAgent}, session.Sender{Role: domain.RoleCustomer}
	s.happened("a", 11, session.PrivateMessageSent{Sender: agent, Text: "x"})
	s.happened("a", 12, session.PublicMessageSent{Sender: customer, Text: "x"})
	s.happened("a", 13, session.PublicMessageSent{Sender: session.Sender{ID: "sue", Role: domain.RoleSupervisor}, Text: "x"})
	s.happened("a", 15, session.PublicMessageSent{Sender: agent, Text: "x"})
	s.happened("a", 20, session.PublicMessageSent{Sender: agent, Text: "x"})
	s.project()
	s.expect("SELECT first_response_ms, messages, customer_messages, agent_messages, supervisor_messages, private_messages, "+
		"last_agent_message_at - requested_at, last_customer_message_at - requested_at FROM fact_session",
		"15000 4 1 2 1 1 20000000 12000000")
}

func TestHandleTimeCountsInTheQuarterInWhichTheTurnBegan(t *testing.T) {
	s := newScript(t)
	until := at(1060)
	s.requested("a", 880, sales)
	s.accepted("a", 895, 15, sales, anna)
	s.project()
	s.happened("a", 1000, session.SessionConcluded{Agent: anna, Reason: session.ConcludedByAgent, WrapUpUntil: &until})
	s.project()
	s.happened("a", 1010, session.WrapUpCompleted{Agent: anna})
	s.requested("b", 905, sales)
	s.happened("b", 920, session.SessionTransferred{FromQueueID: "sales", ToQueueID: "sales", To: ben},
		session.AgentJoined{Agent: ben, Assigned: true, JoinedAt: at(920), Queue: sales, WaitedMS: 15_000, First: true})
	s.happened("b", 950, session.SessionTransferred{FromQueueID: "sales", From: ben, ToQueueID: "sales", To: anna},
		session.AgentJoined{Agent: anna, Assigned: true, JoinedAt: at(950), Queue: sales}) // has not ended
	s.project()
	const minute = "bucket_at / 60000000 % 60"
	s.expect("SELECT "+minute+", handled, engaged_ms, wrap_up_ms, answered, assigned FROM agg_queue_15m ORDER BY bucket_at",
		"0 1 105000 10000 1 0", "15 1 30000 0 0 1")
	s.expect("SELECT agent_id, "+minute+", answered, assigned, handled, engaged_ms, wrap_up_ms FROM agent_handling_15m ORDER BY agent_id, bucket_at",
		"anna 0 1 0 1 105000 10000", "anna 15 0 1 0 0 0", "ben 15 0 1 1 30000 0")
	s.expect("SELECT agent_id, (engaged_ms + wrap_up_ms) / handled, logged_in_ms, monitoring_ms FROM agg_agent_15m WHERE handled > 0 ORDER BY agent_id",
		"anna 115000 0 0", "ben 30000 0 0")
	s.expect("SELECT closed_at - started_at, span FROM fact_agent_leg ORDER BY leg_key", "115000000 1", "30000000 0", "<nil> <nil>")
	s.expect("SELECT wait_ms, span FROM fact_queue_segment ORDER BY segment_key", "15000 0", "15000 0")
}

func TestAFirstResponseCountsWhereAndWhenTheSessionWasRequested(t *testing.T) {
	s := newScript(t)
	s.requested("a", 890, sales)
	s.accepted("a", 895, 5, sales, anna)
	s.happened("a", 899,
		session.SessionTransferred{FromQueueID: "sales", From: anna, ToQueueID: "tech", ToQueueName: "Tech"},
		session.SessionQueued{Queue: tech, QueuedAt: at(899)})
	s.happened("a", 910, session.AgentJoined{Agent: ben, JoinedAt: at(910), Queue: tech, WaitedMS: 11_000})
	s.project()
	for _, second := range []int{920, 930} {
		s.happened("a", second, session.PublicMessageSent{Sender: session.Sender{ID: "ben", Role: domain.RoleAgent}, Text: "x"})
	}
	s.project()
	s.expect("SELECT queue_id, bucket_at / 60000000 % 60, responded, first_response_ms FROM agg_queue_15m WHERE responded > 0", "sales 0 1 30000")
}

func TestHelpCountsInTheQuarterOfTheCall(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.accepted("a", 10, 10, sales, anna)
	s.happened("a", 880, session.HelpRequested{Agent: anna})
	s.project()
	s.happened("a", 905, session.HelpResolved{By: sue})
	s.happened("a", 910, session.HelpRequested{Agent: anna}) // nobody comes
	s.happened("a", 920, session.SessionTransferred{FromQueueID: "sales", From: anna, ToQueueID: "tech"}, session.SessionQueued{Queue: tech, QueuedAt: at(920)})
	s.happened("a", 930, session.AgentJoined{Agent: ben, JoinedAt: at(930), Queue: tech, WaitedMS: 10_000})
	s.happened("a", 940, session.HelpRequested{Agent: ben})
	s.project()
	s.happened("a", 943, session.HelpResolved{By: sue})
	s.project()
	s.expect("SELECT queue_id, bucket_at / 60000000 % 60, helped, time_to_help_ms FROM agg_queue_15m WHERE helped > 0 ORDER BY queue_id",
		"sales 0 1 25000", "tech 15 1 3000")
	s.expect("SELECT help_requests, helped, time_to_help_ms FROM fact_session", "3 2 28000")
}

func TestASessionOfWhichEventsAreParkedIsIncomplete(t *testing.T) {
	s := newScript(t)
	s.requested("whole", 0, sales)
	s.requested("broken", 0, sales)
	broken := projections.Decoded{Err: &eventcodec.UnknownEvent{Type: "FromTheFuture", Version: 1}}
	broken.Stream, broken.Type = "session-broken", "FromTheFuture"
	s.log.Add(broken)
	s.project()
	s.expect("SELECT session_id, incomplete FROM fact_session ORDER BY session_key", "whole 0", "broken 1")
	reader := sessions.NewReader(s.db)
	for id, want := range map[domain.SessionID]bool{"whole": false, "broken": true, "none": false} {
		if id != "none" {
			if got, err := reader.Session(context.Background(), id); err != nil || got.Incomplete != want {
				t.Errorf("%s: %+v %v", id, got, err)
			}
		}
		if got, err := reader.Incomplete(context.Background(), id); err != nil || got != want {
			t.Errorf("%s is incomplete: %v, want %v (%v)", id, got, want, err)
		}
	}
}

func TestTheViewForAnalystsDoesNotHaveTheCustomer(t *testing.T) {
	columns, err := projectiontest.Open(t).Columns(context.Background(), "fact_session")
	if err != nil || len(columns) == 0 {
		t.Fatal(columns, err)
	}
	for _, c := range columns {
		if strings.HasPrefix(c, "customer_name") || strings.HasPrefix(c, "customer_email") {
			t.Errorf("it has %s", c)
		}
	}
}

func TestMonitoringIsRecordedFromStartToEnd(t *testing.T) {
	s := newScript(t)
	s.requested("a", 0, sales)
	s.accepted("a", 10, 10, sales, anna)
	s.happened("a", 12, session.HelpRequested{Agent: anna})
	s.happened("a", 20, session.SupervisorStartedMonitoring{Supervisor: sue, ReservationID: "r2", Reason: "asked", QueueID: "sales", Agent: anna})
	s.project()
	whisper := session.PrivateMessageSent{Sender: session.Sender{ID: "sue", Role: domain.RoleSupervisor}, Text: "x"}
	s.happened("a", 30, whisper, session.HelpResolved{By: sue})
	s.happened("a", 31, whisper)
	s.project()
	s.happened("a", 40, session.SupervisorJoined{Supervisor: sue})
	s.happened("a", 50, session.SupervisorStoppedMonitoring{Supervisor: sue, ReservationID: "r2", Reason: session.LeftByThemselves})
	s.happened("a", 60, session.SupervisorStartedMonitoring{Supervisor: sue, ReservationID: "r3", QueueID: "sales", Agent: anna})
	s.project()
	s.expect("SELECT supervisor_id, agent_id, reason, watched_ms, private_messages, end_reason, joined_at - started_at FROM fact_monitoring ORDER BY monitoring_key",
		"sue anna asked 30000 2 left 20000000", "sue anna <nil> <nil> 0 <nil> <nil>")
	s.expect("SELECT help_requests, helped, time_to_help_ms, help_requested_at, watches FROM fact_session", "1 1 18000 <nil> 2")

	reader, ctx := sessions.NewReader(s.db), context.Background()
	all, err := reader.Supervision(ctx, sessions.SupervisionFilter{Supervisor: "sue"}, 0, 1)
	if err != nil || len(all) != 1 || !all[0].EndedAt.IsZero() {
		t.Fatalf("first page: %+v %v", all, err)
	}
	rest, err := reader.Supervision(ctx, sessions.SupervisionFilter{Supervisor: "sue"}, all[0].Key, 10)
	if err != nil || len(rest) != 1 || rest[0].Reason != "asked" || *rest[0].WatchedMS != 30_000 {
		t.Fatalf("second page: %+v %v", rest, err)
	}
	between, err := reader.Supervision(ctx, sessions.SupervisionFilter{From: at(50), To: at(60)}, 0, 10)
	if err != nil || len(between) != 0 {
		t.Fatalf("between the two: %+v %v", between, err)
	}
}

func TestAListShowsWhatTheReaderMayKnowOf(t *testing.T) {
	s := newScript(t)
	s.requested("waits-sales", 0, sales)
	s.requested("waits-tech", 1, tech)
	s.requested("of-anna", 2, tech)
	s.accepted("of-anna", 3, 1, tech, anna)
	s.requested("of-ben", 4, sales)
	s.accepted("of-ben", 5, 1, sales, ben)
	s.requested("offered-to-anna", 6, tech)
	s.happened("offered-to-anna", 7, session.SessionOffered{Agent: anna, ReservationID: "r"})
	s.requested("watched-by-anna", 8, tech)
	s.accepted("watched-by-anna", 9, 1, tech, ben)
	s.happened("watched-by-anna", 10, session.SupervisorStartedMonitoring{Supervisor: anna, QueueID: "tech", Agent: ben})
	s.project()
	list := func(f sessions.Filter, before int64, limit int) (ids []string) {
		found, err := sessions.NewReader(s.db).List(context.Background(), f, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			ids = append(ids, string(x.ID))
		}
		return ids
	}
	for name, c := range map[string]struct {
		filter sessions.Filter
		want   []string
	}{
		"everything":         {sessions.Filter{}, []string{"watched-by-anna", "offered-to-anna", "of-ben", "of-anna", "waits-tech", "waits-sales"}},
		"by state and agent": {sessions.Filter{States: []session.Phase{session.Engaged}, Agent: "ben"}, []string{"watched-by-anna", "of-ben"}},
		"of an agent": {sessions.Filter{Visible: &sessions.Scope{Staff: "anna", Serving: []domain.QueueID{"sales"}}},
			[]string{"watched-by-anna", "offered-to-anna", "of-anna", "waits-sales"}},
		"of a supervisor": {sessions.Filter{Visible: &sessions.Scope{Staff: "sue", Supervised: []domain.QueueID{"sales"}}},
			[]string{"of-ben", "waits-sales"}},
		"of a queue that is not theirs": {sessions.Filter{Queue: "tech", Visible: &sessions.Scope{Staff: "sue", Supervised: []domain.QueueID{"sales"}}}, nil},
	} {
		if diff := cmp.Diff(c.want, list(c.filter, 0, 100)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		var paged []string
		for before := int64(0); ; {
			page, err := sessions.NewReader(s.db).List(context.Background(), c.filter, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			paged = append(paged, list(c.filter, before, 2)...)
			before = page[len(page)-1].Key
		}
		if diff := cmp.Diff(c.want, paged); diff != "" {
			t.Errorf("%s, in pages: %s", name, diff)
		}
	}
}
