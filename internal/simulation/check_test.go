package simulation

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func watched(joined bool) *Played {
	return &Played{
		Conversation: &Conversation{ID: "a", Turns: []Turn{{Role: "customer", Text: "one"}, {Role: "agent", Text: "two"}}},
		agent:        &member{id: "sim-agent-001", name: "Agent 1"}, watcher: &member{id: "sim-supervisor-001", name: "Supervisor 1"},
		marker: "[coach 01234567", joined: joined,
	}
}

func page(t *testing.T, body string) transcript {
	t.Helper()
	body = `{"entries":[` + body + `]}`
	var p struct{ Entries []entry }
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	return transcript{entries: p.Entries, raw: []byte(body)}
}

const (
	one   = `{"seq":1,"type":"PublicMessageSent","visibility":"public","sender":{"role":"customer"},"text":"one"}`
	two   = `{"seq":2,"type":"PublicMessageSent","visibility":"public","sender":{"role":"agent","name":"Agent 1"},"text":"two"}`
	third = `{"seq":3,"type":"PublicMessageSent","visibility":"public","sender":{"role":"agent"},"text":"two"}`
)

func TestWhatIsWrongWithTheCustomersTranscriptIsFound(t *testing.T) {
	const where = "the customer's transcript"
	for name, c := range map[string]struct {
		body   string
		joined bool
		want   []string
	}{
		"nothing":       {one + "," + two, false, nil},
		"who joined":    {one + "," + two + `,{"seq":3,"type":"ParticipantLeft","sender":{"name":"Supervisor 1"}}`, true, nil},
		"who watched":   {one + "," + two + `,{"seq":3,"type":"ParticipantLeft","sender":{"name":"Supervisor 1"}}`, false, []string{where + " holds the name of a supervisor who did not join"}},
		"one missing":   {one, false, []string{where + ": 2 messages were sent and 1 are there"}},
		"one doubled":   {one + "," + two + "," + third, false, []string{where + ": 2 messages were sent and 3 are there"}},
		"another text":  {strings.Replace(one, "one", "One", 1) + "," + two, false, []string{where + ": message 1 is not the one that was sent"}},
		"another role":  {one + "," + strings.Replace(two, "agent", "customer", 1), false, []string{where + ": message 2 is not by the agent"}},
		"a gap":         {one + "," + strings.Replace(two, `"seq":2`, `"seq":3`, 1), false, []string{where + ": entry 2 has the number 3"}},
		"a marker":      {one + "," + two + `,{"seq":3,"type":"SessionConcluded","text":"[coach 01234567] x"}`, false, []string{where + " holds a private text or a reason"}},
		"staff's ids":   {one + "," + two + `,{"seq":3,"type":"AgentJoined","x":["sim-agent-001","staff/sim-supervisor-001"]}`, false, []string{where + " holds the id of the supervisor", where + " holds the id of the agent"}},
		"a monitoring":  {one + "," + two + `,{"seq":3,"type":"SupervisorStartedMonitoring","visibility":"private"}`, false, []string{where + " holds entry 3 (SupervisorStartedMonitoring), which is not for customers"}},
		"a private one": {one + "," + two + `,{"seq":3,"type":"AgentJoined","visibility":"private"}`, false, []string{where + " holds entry 3 (AgentJoined), which is not for customers"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, forCustomer(watched(c.joined), page(t, c.body))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrivateMessagesAreCountedForTheAuditor(t *testing.T) {
	p := watched(true)
	p.privates = 2
	private := `,{"seq":3,"type":"PrivateMessageSent","visibility":"private"}`
	if got := forAuditor(p, page(t, one+","+two+private+private)); got != nil {
		t.Error(got)
	}
	want := []string{"2 private messages were sent and 1 are there"}
	if diff := cmp.Diff(want, forAuditor(p, page(t, one+","+two+private))); diff != "" {
		t.Error(diff)
	}
}

func TestTheAgentMustNotSeeWhoOnlyWatched(t *testing.T) {
	for body, want := range map[string]int{
		one + "," + two: 0,
		one + "," + two + `,{"seq":3,"sender":{"name":"Supervisor 1"}}`:     1,
		one + "," + two + `,{"seq":3,"sender":{"id":"sim-supervisor-001"}}`: 1,
		one + "," + two + `,{"seq":4}`:                                      1,
	} {
		if got := forAgent(watched(false), page(t, body)); len(got) != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

func TestSessionsInUseAreReadAsIDsAndAsObjects(t *testing.T) {
	var d duty
	if err := json.Unmarshal([]byte(`{"sessions_in_use":2,"sessions":["a",{"session_id":"b"},{},7]}`), &d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, d.sessionIDs()); diff != "" {
		t.Error(diff)
	}
}

func TestReportNamesAHundredProblemsAndCountsAll(t *testing.T) {
	var f findings
	for range 60 {
		f.add(Problem{StaffID: "x", What: "y"}, Problem{ConversationID: "a", SessionID: "b", What: "c"})
	}
	if f.report.Wrong != 120 || len(f.report.Problems) != 100 || f.report.Err() == nil {
		t.Errorf("%d, %d", f.report.Wrong, len(f.report.Problems))
	}
}

func TestSummaryIsForPeopleAndForMachines(t *testing.T) {
	r := &run{stats: newStats()}
	r.stats.sessions.Add(3)
	r.stats.failed.Add(1)
	r.stats.countError("not_found")
	r.stats.latency[kindAccept].record(1500_000)
	r.failures = []Failure{{ConversationID: "a", Error: "accept: 404 not_found"}}
	sum := r.summary(2_000_000_000, []*LineError{{Line: 4, Err: errors.New("no")}})
	sum.Verification = &Report{Sessions: 3, Wrong: 1, Problems: []Problem{{StaffID: "x", What: "y"}}}
	var text, machine strings.Builder
	if err := errors.Join(sum.WriteText(&text), sum.WriteJSON(&machine)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"3 sessions with 0 messages in 2s", "accept", "1.50", "Failed with: not_found 1×", "a (session none): accept: 404 not_found",
		"left out: line 4: no", "1 things are WRONG", "x: y",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if !strings.Contains(machine.String(), `"sessions_per_second": 1.5`) || !strings.Contains(machine.String(), `"p99_us": 1500`) {
		t.Error(machine.String())
	}
	if err := sum.Err(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three problems: %v", err)
	}
}

func TestConfigurationNamesAllItsProblemsAtOnce(t *testing.T) {
	_, err := Config{BaseURL: "localhost:8080", Rate: -1, Prefix: "Ä", Parallel: -1, AgentSessions: 1001}.complete()
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("want six problems: %v", err)
	}
}

func TestAgentsSufficeForTwiceTheSessions(t *testing.T) {
	for parallel, want := range map[int]int{1: 2, 5: 2, 6: 3, 64: 14, 1000: 201} {
		cfg, err := Config{BaseURL: "http://localhost", Token: noToken, Parallel: parallel}.complete()
		if err != nil || cfg.Agents != want || cfg.AgentSessions != 10 {
			t.Errorf("%d sessions: %d agents, want %d (%v)", parallel, cfg.Agents, want, err)
		}
	}
}
