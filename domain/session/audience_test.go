package session_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/session"
)

// everyEvent has one of each type, with every field filled: a string holds "marker" and the path of its field.
func everyEvent(t testing.TB) []event {
	events := []event{
		session.SessionRequested{}, session.SessionQueued{}, session.SessionOffered{}, session.OfferDeclined{},
		session.OfferExpired{}, session.AgentJoined{}, session.PublicMessageSent{}, session.PrivateMessageSent{},
		session.SupervisorStartedMonitoring{}, session.SupervisorJoined{}, session.SupervisorStoppedMonitoring{},
		session.ParticipantLeft{}, session.HelpRequested{}, session.HelpResolved{}, session.SessionTransferred{},
		session.SessionAbandoned{}, session.SessionConcluded{}, session.WrapUpCompleted{}, session.MessageRedacted{},
	}
	domaintest.CheckComplete(t, ".", "sessionEvent", events)
	for i, e := range events {
		events[i] = domaintest.Filled(e, "marker")
	}
	return events
}

// stranger is an event of a type that nobody gave an audience.
type stranger struct{ session.Event }

// audienceTable says who sees an event: customer, agent in the session, supervisor watching, auditor.
const audienceTable = `
SessionRequested             yes yes yes yes
AgentJoined                  yes yes yes yes
PublicMessageSent            yes yes yes yes
ParticipantLeft              yes yes yes yes
SessionTransferred           yes yes yes yes
SessionAbandoned             yes yes yes yes
SessionConcluded             yes yes yes yes
MessageRedacted/public       yes yes yes yes
MessageRedacted/private      no  yes yes yes
SupervisorJoined             no  yes yes yes
SupervisorJoined/announced   yes yes yes yes
PrivateMessageSent           no  yes yes yes
HelpRequested                no  yes yes yes
HelpResolved                 no  yes yes yes
WrapUpCompleted              no  yes yes yes
SessionOffered               no  own yes yes
OfferDeclined                no  own yes yes
OfferExpired                 no  own yes yes
SupervisorStartedMonitoring  no  no  yes yes
SupervisorStoppedMonitoring  no  no  yes yes
SessionQueued                no  no  no  yes
stranger                     no  no  no  yes
`

// variants of the events whose audience depends on more than their type.
func variants(t testing.TB) map[string]event {
	all := map[string]event{"stranger": stranger{}}
	for _, e := range everyEvent(t) {
		all[reflect.TypeOf(e).Name()] = e
	}
	delete(all, "MessageRedacted")
	all["MessageRedacted/public"] = session.MessageRedacted{Visibility: session.Public}
	all["MessageRedacted/private"] = session.MessageRedacted{Visibility: session.Private}
	all["SupervisorJoined"] = session.SupervisorJoined{Supervisor: ref("sue")}
	all["SupervisorJoined/announced"] = session.SupervisorJoined{Supervisor: ref("sue"), Announced: true}
	return all
}

func TestEveryEventIsSeenByThoseWhomTheTableNames(t *testing.T) {
	events := variants(t)
	lines := strings.Split(strings.TrimSpace(audienceTable), "\n")
	if len(lines) != len(events) {
		t.Fatalf("the table has %d lines, there are %d kinds of event", len(lines), len(events))
	}
	for _, line := range lines {
		cells := strings.Fields(line)
		e, ok := events[cells[0]]
		if !ok {
			t.Fatalf("the table names %s, which is no event", cells[0])
		}
		sees := func(as session.Audience, id domain.StaffID) bool { return session.Reader{As: as, StaffID: id}.Sees(e) }
		agentOfIt, another := sees(session.ToAgent, session.Concerns(e)), sees(session.ToAgent, "another")
		agent := map[[2]bool]string{{true, true}: "yes", {true, false}: "own", {false, false}: "no"}[[2]bool{agentOfIt, another}]
		got := []string{
			cells[0], yes(sees(session.ToCustomer, "")), agent, yes(sees(session.ToSupervisor, "sue")), yes(sees(session.ToAuditor, "")),
		}
		if !slices.Equal(got, cells) {
			t.Errorf("got %v, want %v", got, cells)
		}
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func TestAnEventWithoutAnAudienceIsForAuditorsAlone(t *testing.T) {
	if _, ok := session.ForCustomer(stranger{}); ok {
		t.Error("the customer gets it")
	}
	if _, ok := session.ForAgent(stranger{}, "ann"); ok {
		t.Error("the agent gets it")
	}
	if _, ok := session.ForSupervisor(stranger{}); ok {
		t.Error("a supervisor gets it")
	}
	if v := session.ForAuditor(stranger{}); v != (session.SupervisorView{Visibility: session.Private}) {
		t.Errorf("the auditor gets %+v", v)
	}
}

func TestAReaderInNoRoleSeesNothing(t *testing.T) {
	s := given(t, engaged(), joinedBy("sue")).State
	for _, as := range []session.Audience{0, session.ToOwnAgent} {
		if s.Seen(session.Reader{As: as, StaffID: "ann"}) != 0 {
			t.Errorf("a reader as %d has seen something", as)
		}
	}
	if (session.Reader{As: session.ToAgent}).Sees(session.SessionOffered{}) {
		t.Error("an agent without an id sees an offer to nobody")
	}
}

func TestRule4AnAgentsNumbersNeverMoveByAMonitoring(t *testing.T) {
	before, watched := given(t, engaged()).State, given(t, engaged(), watchedBy("sue")).State
	left := given(t, engaged(), watchedBy("sue"), []event{stopped("sue", session.LeftByThemselves)}).State
	for _, r := range []session.Reader{{As: session.ToAgent, StaffID: "ann"}, {As: session.ToCustomer}} {
		if watched.Seen(r) != before.Seen(r) || left.Revision(r) != before.Revision(r) {
			t.Errorf("reader %+v: %d, then %d, then %d", r, before.Seen(r), watched.Seen(r), left.Seen(r))
		}
	}
	sam := session.Reader{As: session.ToSupervisor, StaffID: "sam"}
	if left.Seen(sam) != before.Seen(sam)+2 {
		t.Errorf("rule 10: a supervisor sees others start and stop: %d, then %d", before.Seen(sam), left.Seen(sam))
	}
}

func TestAnAgentsNumbersCountNoOfferToAnother(t *testing.T) {
	s := given(t, requested(), offeredTo("ann"), []event{
		session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferTimedOut},
	}, offeredTo("bob")).State
	for id, want := range map[domain.StaffID]uint64{"ann": 3, "bob": 2, "eve": 1} {
		if got := s.Seen(session.Reader{As: session.ToAgent, StaffID: id}); got != want {
			t.Errorf("%s has seen %d, want %d", id, got, want)
		}
	}
}

func TestARevisionCountsFromZeroAndIsMinusOneForNothing(t *testing.T) {
	customer := session.Reader{As: session.ToCustomer}
	if r := given(t).State.Revision(customer); r != -1 {
		t.Errorf("revision of nothing is %d", r)
	}
	if r := given(t, requested()).State.Revision(customer); r != 0 {
		t.Errorf("revision of the request is %d", r)
	}
}

func TestWhoServesASessionReadsItAsItsAgentWhateverTheirProfile(t *testing.T) {
	s := given(t, engaged(), watchedBy("sue"), requeued(billing), offeredTo("sam")).State
	for name, c := range map[string]struct {
		state session.State
		who   session.Standing
		want  session.Reader
	}{
		"a supervisor who serves it":      {given(t, engaged(), watchedBy("sue")).State, supervisor("ann"), session.Reader{As: session.ToAgent, StaffID: "ann"}},
		"a supervisor whom it is offered": {s, supervisor("sam"), session.Reader{As: session.ToAgent, StaffID: "sam"}},
		"a watcher":                       {s, supervisor("sue"), session.Reader{As: session.ToSupervisor, StaffID: "sue"}},
		"a watcher who lost permission":   {s, agent("sue"), session.Reader{As: session.ToSupervisor, StaffID: "sue"}},
		"an agent of the queue":           {s, agent("bob"), session.Reader{As: session.ToAgent, StaffID: "bob"}},
		"an administrator":                {s, admin(), session.Reader{As: session.ToSupervisor}},
	} {
		if got := c.state.ReaderFor(c.who); got != c.want {
			t.Errorf("%s reads as %+v", name, got)
		}
	}
}

func TestASessionThatGoesOnIsReadByItsAgentItsWatchersAndAdministrators(t *testing.T) {
	watched := given(t, engaged(), watchedBy("sue")).State
	for name, c := range map[string]struct {
		state session.State
		who   session.Standing
		code  domain.Code
	}{
		"its agent":                       {watched, agent("ann"), ""},
		"a watcher":                       {watched, supervisor("sue"), ""},
		"an administrator":                {watched, admin(), ""},
		"another supervisor":              {watched, supervisor("sam"), domain.NotMonitoring},
		"another agent":                   {watched, agent("bob"), domain.Missing},
		"a supervisor of another queue":   {watched, supervisor("sam", "sales"), domain.Missing},
		"an agent of its queue, waiting":  {given(t, requested()).State, agent("bob"), ""},
		"an agent of another, waiting":    {given(t, requested()).State, agent("eve", "sales"), domain.Missing},
		"a supervisor when it has ended":  {given(t, engaged(), concluded()).State, supervisor("sam"), ""},
		"another agent when it has ended": {given(t, engaged(), concluded()).State, agent("bob"), domain.Missing},
		"anybody, of none":                {session.State{}, admin(), domain.Missing},
	} {
		if got := domain.CodeOf(c.state.MayRead(c.who)); got != c.code {
			t.Errorf("%s: got %q, want %q", name, got, c.code)
		}
	}
}
