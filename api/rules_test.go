package api_test

import (
	"testing"
)

func TestRule1MonitorNeedsSupervisor(t *testing.T) {
	s := bare(t)
	s.put("/profiles/odd", s.admin(), object{"chat": true, "monitor": true}).problem(400, "monitor_requires_supervisor")
	s.put("/profiles/fine", s.admin(), object{"supervisor": true, "monitor": true}).is(201)
}

func TestRule2LoggingInNeedsChatAndAQueue(t *testing.T) {
	s := bare(t)
	s.put("/queues/help", s.admin(), object{}).is(201)
	s.put("/profiles/no-queue", s.admin(), object{"chat": true}).is(201)
	s.put("/profiles/no-chat", s.admin(), object{"queues": []string{"help"}}).is(201)
	s.put("/staff/a", s.admin(), object{"profile_id": "no-queue"}).is(201)
	s.put("/staff/b", s.admin(), object{"profile_id": "no-chat"}).is(201)
	s.post("/staff/me/login", s.staff("a"), nil).problem(409, "profile_has_no_queue")
	s.post("/staff/me/login", s.staff("b"), nil).problem(403, "not_permitted")
}

func TestRule3WhatMonitoringNeeds(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	waiting := s.requested("help")
	s.post(c.path+"/monitor", s.staff("bob"), nil).problem(403, "not_permitted")
	s.post(c.path+"/monitor", s.staff("olga"), nil).problem(403, "queue_not_in_profile")
	s.post(waiting.path+"/monitor", s.staff("sue"), nil).problem(409, "session_not_engaged")
	s.post("/staff/me/logout", s.staff("sue"), nil).is(200)
	s.post(c.path+"/monitor", s.staff("sue"), nil).problem(409, "not_logged_in")
	s.post("/staff/me/login", s.staff("sue"), object{"status": "on_break"}).is(200)
	own := s.requested("help")
	s.post(own.path+"/accept", s.staff("sue"), object{}).is(200)
	s.post(own.path+"/monitor", s.staff("sue"), nil).problem(403, "own_session")
	s.post(c.path+"/monitor", s.staff("sue"), object{"reason": "training"}).is(200)
	s.post(c.path+"/monitor", s.staff("sue"), nil).problem(409, "already_monitoring")
	third := s.engaged()
	a := s.post(third.path+"/monitor", s.staff("sue"), nil).problem(409, "no_idle_session")
	if a.number("max_sessions") != 2 || a.number("sessions_in_use") != 2 || a.number("idle_sessions") != 0 {
		t.Fatalf("without the numbers: %s", a.raw)
	}
	s.post("/sessions/0192b5a0-0000-7000-8000-000000000000/monitor", s.staff("sue"), nil).problem(404, "not_found")
}

func TestRule4TheWatcherSeesEverythingFromTheStart(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.say(c, c.customer, "public", "before").is(201)
	s.get(c.path+"/transcript", s.staff("sue")).problem(409, "not_monitoring")
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	entries := s.get(c.path+"/transcript", s.staff("sue")).is(200)
	if entries.text("entries.0.type") != "SessionRequested" || entries.text("entries.2.text") != "before" {
		t.Fatalf("not from the start: %s", entries.raw)
	}
}

func TestRules5To7WhoWatchesWritesPrivatelyAndAfterJoiningPubliclyToo(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	sue := s.staff("sue")
	s.say(c, sue, "private", "x").problem(409, "not_monitoring")
	s.post(c.path+"/join", sue, nil).problem(409, "not_monitoring")
	s.post(c.path+"/monitor", sue, nil).is(200)
	s.say(c, sue, "public", "x").problem(409, "not_joined")
	s.say(c, sue, "private", "psst").is(201)
	if a := s.get(c.path+"/transcript", c.customer).is(200); contains(a, "psst") {
		t.Fatalf("the customer reads a private message: %s", a.raw)
	}
	if a := s.get(c.path+"/transcript", s.staff("ann")).is(200); !contains(a, "psst") {
		t.Fatalf("the agent does not read a private message: %s", a.raw)
	}
	used := s.get("/staff/me", sue).number("sessions_in_use")
	s.post(c.path+"/join", sue, nil).is(200)
	if now := s.get("/staff/me", sue).number("sessions_in_use"); now != used {
		t.Fatalf("joining took a slot: %d, then %d", used, now)
	}
	s.post(c.path+"/join", sue, nil).problem(409, "already_joined")
	s.say(c, sue, "public", "hello all").is(201)
	s.say(c, sue, "private", "psst again").is(201)
	if a := s.get(c.path+"/transcript", s.staff("ann")).is(200); !contains(a, "SupervisorJoined") {
		t.Fatalf("the agent was not notified of the join: %s", a.raw)
	}
}

func TestRule8TheAgentAnswersPrivatelyAfterAJoinUnlessTheQueueSaysAlways(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.say(c, s.staff("ann"), "private", "x").problem(409, "private_reply_needs_join")
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("ann"), "private", "x").problem(409, "private_reply_needs_join")
	s.post(c.path+"/join", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("ann"), "private", "x").is(201)
	s.put("/queues/help", s.admin(), object{"name": "Help", "agent_private_reply": "always"}).is(200)
	other := s.engaged()
	s.say(other, s.staff("ann"), "private", "x").is(201)
}

func TestRule9LeavingFreesTheSlotAndIsPublicOnlyAfterAJoin(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	sue := s.staff("sue")
	before := s.get(c.path+"/transcript", s.staff("ann")).is(200)
	s.post(c.path+"/monitor", sue, nil).is(200)
	s.post(c.path+"/leave", sue, nil).is(200)
	s.post(c.path+"/leave", sue, nil).problem(409, "not_monitoring")
	if after := s.get(c.path+"/transcript", s.staff("ann")).is(200); string(after.raw) != string(before.raw) {
		t.Fatalf("a silent leave was noticed: %s", after.raw)
	}
	s.post(c.path+"/monitor", sue, nil).is(200)
	s.post(c.path+"/join", sue, nil).is(200)
	s.post(c.path+"/leave", sue, nil).is(200)
	if n := s.get("/staff/me", sue).number("sessions_in_use"); n != 0 {
		t.Fatalf("%d slots are still in use", n)
	}
	for _, token := range []string{c.customer, s.staff("ann")} {
		if a := s.get(c.path+"/transcript", token).is(200); !contains(a, "ParticipantLeft") || !contains(a, "Participant Left") {
			t.Fatalf("the leave is not on the thread: %s", a.raw)
		}
	}
}

func TestRule10SupervisorsSeeEachOtherAndAgentsSeeNone(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	a := s.post(c.path+"/monitor", s.staff("sam"), nil).is(200)
	if len(a.list("monitored_by")) != 2 {
		t.Fatalf("the watchers do not see each other: %s", a.raw)
	}
	if a := s.get(c.path, s.staff("ann")).is(200); contains(a, "monitored_by") || contains(a, "sue") {
		t.Fatalf("the agent sees the watchers: %s", a.raw)
	}
}
