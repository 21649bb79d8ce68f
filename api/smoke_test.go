package api_test

import "testing"

func TestSmoke(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	a := s.get(c.path, s.staff("ann")).is(200)
	t.Logf("%s", a.raw)
	t.Logf("%s", s.say(c, c.customer, "public", "hi").is(201).raw)
	t.Logf("%s", s.post(c.path+"/monitor", s.staff("sue"), nil).is(200).raw)
	t.Logf("%s", s.get(c.path+"/transcript", s.staff("sue")).is(200).raw)
	t.Logf("%s", s.get(c.path+"/transcript", c.customer).is(200).raw)
	t.Logf("%s", s.get(c.path, c.customer).is(200).raw)
	t.Logf("%s", s.get("/staff", s.staff("sue")).is(200).raw)
	t.Logf("%s", s.get("/reports/queue-snapshot", s.staff("sue")).is(200).raw)
	t.Logf("%s", s.get("/sessions", s.staff("sue")).is(200).raw)
	t.Logf("%s", s.get("/audit/supervision", s.auditor()).is(200).raw)
	t.Logf("%s", s.get("/audit"+c.path+"/replay", s.auditor()).is(200).raw)
}
