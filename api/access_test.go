package api_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// records are all that readings have left in the log.
func (s *site) records() []access.AccessRecorded {
	s.t.Helper()
	var all []access.AccessRecorded
	filter := eventstore.Filter{StreamPrefixes: []string{eventcodec.AccessPrefix}}
	for recorded, err := range s.store.ReadAll(s.t.Context(), eventstore.Start, eventstore.Forwards, 0, filter) {
		must(s.t, err)
		e, err := eventcodec.Decode(recorded)
		must(s.t, err)
		all = append(all, e.Event.(access.AccessRecorded))
	}
	return all
}

// left is what something has left in the log, with the time apart.
func (s *site) left(do func()) []access.AccessRecorded {
	s.t.Helper()
	before := len(s.records())
	do()
	all := s.records()[before:]
	for i := range all {
		if all[i].AccessedAt.IsZero() {
			s.t.Errorf("there is no time in %+v", all[i])
		}
	}
	return all
}

// observed is a site with a session that ann serves and sue monitors.
func observed(t *testing.T, change ...func(*api.Config)) (*site, chat) {
	s := peopled(t, change...)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("ann"), "public", "the words").is(201)
	return s, c
}

// reading is a request that leaves a record: all of it but the reader and the time.
type reading struct {
	role         domain.Role
	who          string
	path, accept string
	want         access.AccessRecorded
}

func audited(c chat) map[string]reading {
	of := func(kind access.Kind, as domain.Role, format access.Format) access.AccessRecorded {
		return access.AccessRecorded{Kind: kind, SessionID: domain.SessionID(c.id), QueueID: "help", As: as, Format: format}
	}
	events := of(access.OfEvents, domain.RoleAuditor, access.JSON)
	events.QueueID = ""
	one := uint64(1)
	replay := of(access.OfReplay, domain.RoleAuditor, access.JSON)
	replay.Revision = &one
	supervision := access.AccessRecorded{Kind: access.OfSupervision, SessionID: domain.SessionID(c.id), QueueID: "help", Format: access.JSON}
	return map[string]reading{
		"an auditor":             {domain.RoleAuditor, "iris", c.path + "/transcript", "", of(access.OfTranscript, domain.RoleAuditor, access.JSON)},
		"an auditor, of less":    {domain.RoleAuditor, "iris", c.path + "/transcript?as=customer", "", of(access.OfTranscript, domain.RoleCustomer, access.JSON)},
		"an auditor's export":    {domain.RoleAuditor, "iris", c.path + "/transcript", "text/csv", of(access.OfTranscript, domain.RoleAuditor, access.CSV)},
		"an administrator":       {domain.RoleAdmin, "root", c.path + "/transcript", "", of(access.OfTranscript, domain.RoleSupervisor, access.JSON)},
		"the supervisor":         {domain.RoleStaff, "sue", c.path + "/transcript", "", of(access.OfTranscript, domain.RoleSupervisor, access.JSON)},
		"the agent's text":       {domain.RoleStaff, "ann", c.path + "/transcript", "text/plain", of(access.OfTranscript, domain.RoleAgent, access.Text)},
		"the agent's page":       {domain.RoleStaff, "ann", c.path + "/transcript?as=customer", "text/html", of(access.OfTranscript, domain.RoleCustomer, access.HTML)},
		"the events":             {domain.RoleAuditor, "iris", "/audit" + c.path + "/events", "", events},
		"a replay":               {domain.RoleAuditor, "iris", "/audit" + c.path + "/replay?revision=1", "", replay},
		"a replay of everything": {domain.RoleAuditor, "iris", "/audit" + c.path + "/replay", "", of(access.OfReplay, domain.RoleAuditor, access.JSON)},
		"who watched":            {domain.RoleAuditor, "iris", "/audit/supervision?queue_id=help&session_id=" + c.id, "", supervision},
		"who read":               {domain.RoleAuditor, "iris", "/audit/access", "", access.AccessRecorded{Kind: access.OfAccess, Format: access.JSON}},
		"who read as iris":       {domain.RoleAuditor, "iris", "/audit/access?reader_id=iris", "", access.AccessRecorded{Kind: access.OfAccess, Format: access.JSON}},
	}
}

func TestEachWayOfReadingLeavesExactlyOneRecord(t *testing.T) {
	s, c := observed(t)
	for name, r := range audited(c) {
		want := r.want
		want.ReaderID, want.ReaderRole = r.who, r.role
		got := s.left(func() { s.get(r.path, s.token(r.role, r.who), header{"Accept", r.accept}).is(200) })
		if len(got) != 1 || !alike(got[0], want) {
			t.Errorf("%s left %+v, want %+v", name, got, want)
		}
	}
}

// alike compares two records but for the time of the reading.
func alike(a, b access.AccessRecorded) bool {
	revision := a.Revision == nil && b.Revision == nil || a.Revision != nil && b.Revision != nil && *a.Revision == *b.Revision
	a.AccessedAt, a.Revision = b.AccessedAt, b.Revision
	return revision && a == b
}

func TestAnOpenedStreamAndAPastReportAreRecordedWhenTheyBegin(t *testing.T) {
	s, c := observed(t)
	for _, token := range []string{s.auditor(), s.admin(), s.staff("sue")} {
		got := s.left(func() { s.open(c.path+"/live", token).next() })
		if len(got) != 1 || got[0].Kind != access.OfLive || got[0].Format != access.SSE || string(got[0].SessionID) != c.id {
			t.Errorf("a live stream left %+v", got)
		}
	}
	const past = "/reports/queue-snapshot?at=2026-01-01T00:00:00Z"
	for _, token := range []string{s.auditor(), s.admin(), s.staff("sue")} {
		got := s.left(func() { s.get(past, token).is(200) })
		if len(got) != 1 || got[0].Kind != access.OfSnapshot || got[0].At == nil || got[0].At.Year() != 2026 {
			t.Errorf("a past report left %+v", got)
		}
	}
}

func TestWhatOneWorksOnAndWhatIsRefusedLeavesNoRecord(t *testing.T) {
	s, c := observed(t)
	waiting := s.requested("help")
	ann, sue, iris := s.staff("ann"), s.staff("sue"), s.auditor()
	got := s.left(func() {
		for _, form := range []string{"application/json", "text/plain", "text/csv", "text/html"} {
			s.get(c.path+"/transcript", c.customer, header{"Accept", form}).is(200)
		}
		s.get(c.path+"/transcript", ann).is(200)
		s.get(waiting.path+"/transcript", ann).is(200) // it may become hers
		s.open(c.path+"/live", ann).next()
		s.open(c.path+"/live", c.customer).next()
		for _, token := range []string{ann, sue, iris, s.admin()} {
			s.get(c.path, token).is(200)
			s.get("/sessions", token).is(200)
		}
		for _, token := range []string{sue, iris, s.admin()} {
			s.get("/reports/queue-snapshot", token).is(200)
		}
		nobodys := "/sessions/0198a000-0000-7000-8000-000000000000"
		for _, path := range []string{nobodys + "/transcript", nobodys + "/live", "/audit" + nobodys + "/events", "/audit" + nobodys + "/replay"} {
			s.get(path, iris).problem(404, "not_found")
		}
		s.get("/audit"+c.path+"/replay?at=2020-01-01T00:00:00Z", iris).problem(404, "not_found")
		s.get("/audit"+c.path+"/replay?revision=99", iris).problem(400, "invalid_request")
		s.get("/audit/supervision?limit=0", iris).problem(400, "invalid_request")
		s.get("/audit"+c.path+"/events", s.admin()).problem(403, "not_permitted")
		s.get("/audit/access", sue).problem(403, "not_permitted")
		s.get(c.path+"/transcript", s.staff("sam")).problem(409, "not_monitoring")
		s.get(c.path+"/transcript", s.staff("olga")).problem(404, "not_found")
		s.get(c.path+"/transcript?as=auditor", sue, header{"Accept", "text/csv"}).problem(403, "not_permitted")
	})
	if len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// A supervisor who hands a session on is its agent no more.
func TestWhoIsTheAgentNoMoreLeavesARecord(t *testing.T) {
	s := peopled(t)
	c := s.requested("help")
	sue := s.staff("sue")
	s.post(c.path+"/accept", sue, nil).is(200)
	if got := s.left(func() { s.get(c.path+"/transcript", sue).is(200) }); len(got) > 0 {
		t.Errorf("the agent left %+v", got)
	}
	s.post(c.path+"/transfer", sue, object{"staff_id": "ann"}).is(200)
	s.post(c.path+"/conclude", s.staff("ann"), nil).is(200)
	if got := s.left(func() { s.get(c.path+"/transcript", sue).is(200) }); len(got) != 1 || got[0].As != domain.RoleSupervisor {
		t.Errorf("who was the agent left %+v", got)
	}
}

func TestThePagesOfAReadingAreOneRecordAndEveryExportIsOne(t *testing.T) {
	s, c := observed(t)
	iris := s.auditor()
	got := s.left(func() {
		cursor := s.get(c.path+"/transcript?limit=1", iris).is(200).text("next_cursor")
		s.get(c.path+"/transcript?limit=2&cursor="+cursor, iris).is(200)
		s.get("/audit/supervision", iris).is(200)
		s.get("/audit/supervision?limit=5", iris).is(200)
	})
	if len(got) != 2 {
		t.Errorf("two readings left %+v", got)
	}
	csv := header{"Accept", "text/csv"}
	got = s.left(func() {
		s.get(c.path+"/transcript", iris, csv).is(200)
		s.get(c.path+"/transcript", iris, csv).is(200)
	})
	if len(got) != 2 {
		t.Errorf("two exports left %+v", got)
	}
}

// deaf is a store that takes no record of a reading.
type deaf struct{ eventstore.Store }

func (d deaf) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if strings.HasPrefix(stream, eventcodec.AccessPrefix) {
		return eventstore.Appended{}, eventstore.ErrStreamDeleted
	}
	return d.Store.Append(ctx, stream, expected, events)
}

func TestNobodyReadsWithoutATrace(t *testing.T) {
	s, c := observed(t, func(config *api.Config) {
		var err error
		config.Service, err = command.New(command.Config{Store: deaf{config.Store}, Log: config.Log, Shared: true})
		must(t, err)
	})
	for name, r := range audited(c) {
		a := s.get(r.path, s.token(r.role, r.who), header{"Accept", r.accept}).problem(503, "unavailable")
		if bytes.Contains(a.raw, []byte("the words")) || a.header.Get("Etag") != "" {
			t.Errorf("%s is refused with %v %s", name, a.header, a.raw)
		}
	}
	s.get(c.path+"/live", s.auditor()).problem(503, "unavailable")
	s.get("/reports/queue-snapshot?at=2026-01-01T00:00:00Z", s.auditor()).problem(503, "unavailable")
	s.get(c.path+"/transcript", s.staff("ann")).is(200)
	s.get(c.path+"/transcript", c.customer).is(200)
}
