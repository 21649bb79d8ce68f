package api_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
)

func TestRule11WithTheSessionEveryMonitoringEnds(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.post(c.path+"/monitor", s.staff("sam"), nil).is(200)
	s.post(c.path+"/conclude", s.staff("ann"), object{"disposition": "solved"}).is(200)
	for _, id := range []string{"sue", "sam", "ann"} {
		if n := s.get("/staff/me", s.staff(id)).number("sessions_in_use"); n != 0 {
			t.Fatalf("%s still has %d sessions in use", id, n)
		}
	}
	s.say(c, s.staff("sue"), "private", "x").problem(409, "session_ended")
	s.post(c.path+"/leave", c.customer, nil).problem(409, "session_ended")
}

func TestRule11LoggingOutEndsTheWatch(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.post("/staff/me/logout", s.staff("sue"), nil).is(200)
	if a := s.get(c.path, s.admin()).is(200); len(a.list("monitored_by")) != 0 {
		t.Fatalf("still watching: %s", a.raw)
	}
	if a := s.get("/audit/supervision", s.auditor()).is(200); a.text("items.0.end_reason") != "logged_out" {
		t.Fatalf("without the reason: %s", a.raw)
	}
}

func TestRule12ParallelRequestsGiveExactlyAsManyMonitoringsAsThereAreIdleSessions(t *testing.T) {
	s := peopled(t)
	s.put("/profiles/agent", s.admin(), object{"chat": true, "max_sessions": 20, "queues": []string{"help"}}).is(200)
	var group sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for range 10 {
		c := s.engaged()
		group.Go(func() {
			a := s.post(c.path+"/monitor", s.staff("sue"), nil)
			mu.Lock()
			defer mu.Unlock()
			count[a.status]++
		})
	}
	group.Wait()
	if count[200] != 2 || count[409] != 8 {
		t.Fatalf("two idle sessions gave %v", count)
	}
	if n := s.get("/staff/me", s.staff("sue")).number("sessions_in_use"); n != 2 {
		t.Fatalf("%d sessions in use", n)
	}
}

func TestRule13ALimitThatIsRaisedCountsAtOnceAndOneThatIsLoweredEndsNothing(t *testing.T) {
	s := peopled(t)
	lead := object{"chat": true, "supervisor": true, "monitor": true, "queues": []string{"help"}}
	watch := func() answer { return s.post(s.engaged().path+"/monitor", s.staff("sue"), nil) }
	watch().is(200)
	lead["max_sessions"] = 1
	s.put("/profiles/lead", s.admin(), lead).is(200)
	watch().problem(409, "no_idle_session")
	lead["max_sessions"] = 0
	s.put("/profiles/lead", s.admin(), lead).is(200)
	a := s.get("/staff/me", s.staff("sue")).is(200)
	if a.number("sessions_in_use") != 1 || a.number("idle_sessions") != 0 || a.number("max_sessions") != 0 {
		t.Fatalf("lowering ended something: %s", a.raw)
	}
	lead["max_sessions"] = 2
	s.put("/profiles/lead", s.admin(), lead).is(200)
	watch().is(200)
}

func TestRule14AnOfferIsAcceptedOrDeclinedByTheOneWhomItIsMadeTo(t *testing.T) {
	s := peopled(t)
	c := s.requested("help")
	offer(s, c, "ann")
	a := s.get(c.path, s.staff("ann")).is(200)
	if a.text("state") != "offered" || a.text("offered_to") != "ann" || a.at("actions.decline.allowed") != true {
		t.Fatalf("the offer is not shown: %s", a.raw)
	}
	if b := s.get(c.path, s.staff("bob")).is(200); b.text("state") != "queued" || contains(b, "ann") {
		t.Fatalf("another agent is told of the offer: %s", b.raw)
	}
	if b := s.get(c.path, c.customer).is(200); b.text("state") != "queued" || contains(b, "ann") {
		t.Fatalf("the customer is told of the offer: %s", b.raw)
	}
	s.post(c.path+"/decline", s.staff("bob"), nil).problem(403, "not_a_participant")
	s.post(c.path+"/decline", s.staff("ann"), nil).is(200)
	if n := s.get("/staff/me", s.staff("ann")).number("sessions_in_use"); n != 0 {
		t.Fatalf("the slot of the offer is still held: %d", n)
	}
	offer(s, c, "ann")
	s.post(c.path+"/accept", s.staff("ann"), nil).is(200)
	s.post(c.path+"/accept", s.staff("ann"), nil).problem(409, "already_joined")
	s.post(c.path+"/accept", s.staff("olga"), nil).problem(404, "not_found")
}

func TestRule15WhoHasOpenSessionsCannotLogOutAndOthersCanHelp(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post("/staff/me/logout", s.staff("ann"), nil).problem(409, "sessions_still_open")
	s.put("/staff/ann/status", s.staff("bob"), object{"status": "on_break"}).problem(403, "not_permitted")
	if a := s.put("/staff/ann/status", s.staff("sue"), object{"status": "on_break", "reason": "asked to"}).is(200); a.text("status_type") != "unavailable" {
		t.Fatalf("the status was not forced: %s", a.raw)
	}
	if a := s.post(c.path+"/transfer", s.staff("sue"), object{"staff_id": "bob"}).is(200); a.text("agent_id") != "bob" {
		t.Fatalf("not transferred: %s", a.raw)
	}
	s.post("/staff/me/logout", s.staff("ann"), nil).is(200)
	s.post(c.path+"/transfer", s.admin(), object{"queue_id": "sales"}).is(200)
	s.post(c.path+"/conclude", s.admin(), nil).is(200)
	events := s.get("/audit"+c.path+"/events", s.auditor()).is(200)
	for _, named := range []string{`"id":"root","role":"admin"`, `"id":"sue","role":"supervisor"`} {
		if !contains(events, named) {
			t.Fatalf("the act does not name its actor %s: %s", named, events.raw)
		}
	}
}

func TestTheCustomerLeaves(t *testing.T) {
	s := peopled(t)
	waiting, engaged := s.requested("help"), s.engaged()
	if a := s.post(waiting.path+"/leave", waiting.customer, nil).is(200); a.text("state") != "abandoned" {
		t.Fatalf("%s", a.raw)
	}
	if a := s.post(engaged.path+"/leave", engaged.customer, nil).is(200); a.text("state") != "concluded" {
		t.Fatalf("%s", a.raw)
	}
	if a := s.get("/staff/me", s.staff("ann")).is(200); a.number("sessions_in_use") != 0 {
		t.Fatalf("%s", a.raw)
	}
}

func TestHelpIsAskedForAndGiven(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/help", s.staff("sue"), nil).problem(403, "not_a_participant")
	if a := s.post(c.path+"/help", s.staff("ann"), object{"note": "angry customer"}).is(200); a.at("help_requested") != true {
		t.Fatalf("%s", a.raw)
	}
	if a := s.get(c.path, c.customer).is(200); contains(a, "help") {
		if contains(a, "help_requested") {
			t.Fatalf("the customer learns of the call: %s", a.raw)
		}
	}
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("sue"), "private", "offer a refund").is(201)
	if a := s.get(c.path, s.staff("ann")).is(200); a.at("help_requested") != false {
		t.Fatalf("the call is still open: %s", a.raw)
	}
}

func TestTheActionsOfACustomerSayWhatTheMessageWouldAnswerAfterTheEnd(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/conclude", s.staff("ann"), nil).is(200)
	code := s.say(c, c.customer, "private", "x").is(409).text("code")
	if a := s.get(c.path, c.customer).is(200); a.text("actions.send_private.code") != code {
		t.Errorf("the answer was %s, the session says %s", code, a.raw)
	}
}

func TestTheActionsSayWhatTheVerbsWouldAnswer(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for _, id := range []string{"ann", "sue"} {
		shown := s.get(c.path, s.staff(id)).is(200)
		for action, ask := range map[string]func() answer{
			"join":         func() answer { return s.post(c.path+"/join", s.staff(id), nil) },
			"leave":        func() answer { return s.post(c.path+"/leave", s.staff(id), nil) },
			"accept":       func() answer { return s.post(c.path+"/accept", s.staff(id), nil) },
			"decline":      func() answer { return s.post(c.path+"/decline", s.staff(id), nil) },
			"send_private": func() answer { return s.say(c, s.staff(id), "private", "x") },
		} {
			got := ask()
			if allowed := shown.at("actions."+action+".allowed") == true; allowed != (got.status < 300) {
				t.Errorf("%s may %s: %v, but the answer was %d %s", id, action, allowed, got.status, got.raw)
			}
			if code := shown.text("actions." + action + ".code"); got.status >= 300 && code != got.text("code") {
				t.Errorf("%s may not %s for %s, but the answer was %s", id, action, code, got.raw)
			}
		}
	}
	if a := s.get(c.path, s.staff("sue")); a.at("actions.monitor.allowed") != true {
		t.Errorf("sue may not monitor: %s", a.raw)
	}
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	s := peopled(t)
	for i := range 5 {
		s.put("/queues/q"+strconv.Itoa(i), s.admin(), object{}).is(201)
	}
	var names []string
	path := "/queues?limit=3"
	for range 5 {
		a := s.get(path, s.admin()).is(http.StatusOK)
		for _, item := range a.list("items") {
			names = append(names, item.(map[string]any)["queue_id"].(string))
		}
		cursor := a.text("next_cursor")
		if cursor == "" {
			break
		}
		path = "/queues?limit=3&cursor=" + cursor
	}
	if len(names) != 7 || names[0] != "help" || names[6] != "sales" {
		t.Fatalf("got %v", names)
	}
}
