package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/api"
)

func TestTheLiveStreamIsTheTranscriptAsItGrows(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	tokens := map[string]string{"agent": s.staff("ann"), "customer": c.customer, "supervisor": s.staff("sue"), "auditor": s.auditor(), "admin": s.admin()}
	streams := map[string]*stream{}
	for who, token := range tokens {
		streams[who] = s.open(c.path+"/live", token)
	}
	s.say(c, s.staff("ann"), "public", "one\ntwo").is(201)
	s.say(c, s.staff("sue"), "private", "psst").is(201)
	s.post(c.path+"/join", s.staff("sue"), nil).is(200)
	s.post(c.path+"/leave", s.staff("sue"), nil).is(200)
	s.say(c, c.customer, "public", "bye").is(201)
	s.post(c.path+"/conclude", s.staff("ann"), object{"disposition": "done"}).is(200)
	for who, token := range tokens {
		var live []any
		for _, e := range streams[who].rest() {
			var data map[string]any
			must(t, json.Unmarshal([]byte(e.data), &data))
			if data["type"] != e.name || e.id == "" {
				t.Errorf("%s: event %v", who, e)
			}
			live = append(live, data)
		}
		stored := s.get(c.path+"/transcript", token).is(200).list("entries")
		if who == "supervisor" {
			stored = stored[:len(live)] // their stream ended when they left
		}
		if diff := cmp.Diff(stored, live); diff != "" {
			t.Errorf("%s: the stream is not the transcript (-stored +live):\n%s", who, diff)
		}
	}
}

func TestALiveStreamResumesWithoutGapOrRepeat(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for i := range 20 {
		s.say(c, c.customer, "public", fmt.Sprint(i)).is(201)
	}
	whole := s.open(c.path+"/live", s.staff("ann")).untilCount(22)
	for cut := range whole {
		for _, h := range [][]header{{{"Last-Event-ID", whole[cut].id}}, nil} {
			path := c.path + "/live"
			if h == nil {
				path += "?after=" + whole[cut].id
			}
			again := s.open(path, s.staff("ann"), h...)
			if diff := cmp.Diff(whole[cut+1:], again.untilCount(21-cut), cmp.AllowUnexported(event{})); diff != "" {
				t.Fatalf("resumed after %d:\n%s", cut, diff)
			}
			again.cancel()
		}
	}
	resumed := s.open(c.path+"/live", s.staff("ann"), header{"Last-Event-ID", whole[21].id})
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200) // which the agent's cursor does not count
	s.say(c, c.customer, "public", "after").is(201)
	if e := resumed.next(); !strings.Contains(e.data, `"seq":23`) || !strings.Contains(e.data, "after") {
		t.Fatalf("got %v", e)
	}
	other := s.engaged()
	s.get(other.path+"/live", s.staff("ann"), header{"Last-Event-ID", whole[3].id}).problem(400, "invalid_request")
}

func TestMessagesThatComeWhileAStreamOpensAreNeitherLostNorRepeated(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	const count = 300
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range count {
			s.say(c, c.customer, "public", fmt.Sprint("n", i, "."))
		}
	}()
	var open []*stream
	for range 10 {
		open = append(open, s.open(c.path+"/live", s.staff("ann")))
	}
	<-done
	for _, one := range open {
		for i, e := range one.untilCount(count + 2)[2:] {
			if !strings.Contains(e.data, fmt.Sprint(`"n`, i, ".")) {
				t.Fatalf("message %d is %s", i, e.data)
			}
		}
	}
}

func TestRule11AWatchersStreamEndsAtOnceWithTheWatch(t *testing.T) {
	for name, end := range map[string]func(*site, chat){
		"leaving":     func(s *site, c chat) { s.post(c.path+"/leave", s.staff("sue"), nil).is(200) },
		"logging out": func(s *site, _ chat) { s.post("/staff/me/logout", s.staff("sue"), nil).is(200) },
		"moving out of the profile": func(s *site, c chat) {
			s.post(c.path+"/transfer", s.admin(), object{"queue_id": "sales"}).is(200)
		},
		"becoming the agent": func(s *site, c chat) {
			s.post(c.path+"/transfer", s.admin(), object{"staff_id": "sue"}).is(200)
		},
		"the end of the session": func(s *site, c chat) { s.post(c.path+"/conclude", s.staff("ann"), nil).is(200) },
		"losing the permission": func(s *site, c chat) {
			s.put("/profiles/lead", s.admin(), object{"chat": true, "supervisor": true, "max_sessions": 2, "queues": []string{"help"}}).is(200)
			recheck(s, c, "sue")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := peopled(t)
			c := s.engaged()
			s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
			watching := s.open(c.path+"/live", s.staff("sue"))
			watching.until("SupervisorStartedMonitoring")
			end(s, c)
			if got := names(watching.rest()); !strings.HasSuffix(got, "SupervisorStoppedMonitoring") {
				t.Errorf("the stream ended with %s", got)
			}
			if name == "leaving" {
				s.get(c.path+"/live", s.staff("sue")).problem(409, "not_monitoring")
			}
		})
	}
}

func TestTheAgentsStreamEndsWhenTheSessionIsTakenFromThem(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	following := s.open(c.path+"/live", s.staff("ann"))
	following.until("AgentJoined")
	s.post(c.path+"/transfer", s.staff("sue"), object{"staff_id": "bob"}).is(200)
	if got := names(following.rest()); got != "SessionTransferred" {
		t.Fatalf("got %s", got)
	}
	s.get(c.path+"/live", s.staff("ann")).problem(404, "not_found")
}

func TestTheStreamsOfAnEndedSessionEnd(t *testing.T) {
	s := peopled(t)
	s.put("/queues/help", s.admin(), object{"wrap_up_ms": 60000}).is(200)
	c := s.engaged()
	agent, customer := s.open(c.path+"/live", s.staff("ann")), s.open(c.path+"/live", c.customer)
	agent.until("AgentJoined")
	s.post(c.path+"/leave", c.customer, nil).is(200)
	if got := names(customer.rest()); !strings.HasSuffix(got, "ParticipantLeft SessionConcluded") {
		t.Errorf("the customer got %s", got)
	}
	agent.until("SessionConcluded")
	s.post(c.path+"/conclude", s.staff("ann"), object{"disposition": "sold"}).is(200)
	if got := names(agent.rest()); got != "WrapUpCompleted" {
		t.Errorf("the agent got %s", got)
	}
	again := s.open(c.path+"/live", s.auditor())
	if got := names(again.rest()); !strings.HasPrefix(got, "SessionRequested SessionQueued AgentJoined") || !strings.HasSuffix(got, "WrapUpCompleted") {
		t.Errorf("the auditor got %s", got)
	}
}

func TestLiveStreamsBeatAndEndWithTheServer(t *testing.T) {
	s := peopled(t, func(c *api.Config) { c.Limits.Heartbeat = 5 * time.Millisecond })
	c := s.engaged()
	one := s.open(c.path+"/live", s.staff("ann"))
	one.until("AgentJoined")
	report := s.open("/reports/queue-snapshot/live", s.staff("sue"))
	report.next()
	s.api.Close()
	one.rest()
	report.rest()
	s.get("~/readyz", "").is(503)
}

func TestTheLiveReportStirsForWhatItsReaderSeesAlone(t *testing.T) {
	s := peopled(t, func(c *api.Config) { c.Limits.SnapshotEvery = 5 * time.Millisecond })
	report := s.open("/reports/queue-snapshot/live", s.staff("sue"))
	if e := report.next(); e.name != "snapshot" || !strings.Contains(e.data, `"sessions":[]`) {
		t.Fatalf("got %v", e)
	}
	c := s.requested("help")
	if e := report.next(); !strings.Contains(e.data, c.id) {
		t.Fatalf("got %v", e)
	}
	s.put("/profiles/lead", s.admin(), object{"chat": true, "queues": []string{"help"}, "max_sessions": 2}).is(200)
	for _, e := range report.rest() {
		if !strings.Contains(e.data, c.id) {
			t.Fatalf("got %v", e)
		}
	}
}
