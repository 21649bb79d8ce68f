package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
)

// seen is everything that somebody can get, with the headers that could tell something.
func seen(s *site, c chat, who string, token string) map[string]string {
	s.t.Helper()
	paths := []string{c.path, c.path + "/transcript", c.path + "/transcript?limit=1", c.path + "/transcript?as=customer"}
	if who != "customer" {
		paths = append(paths, "/staff/me", "/sessions", "/sessions?agent_id=me", "/queues", "/queues/help", "/profiles/agent", "/staff", "/reports/queue-snapshot")
	}
	out := map[string]string{}
	for _, path := range paths {
		a := s.get(path, token)
		out[path] = fmt.Sprint(a.status, " ", a.header.Get("Etag"), " ", string(a.raw))
	}
	return out
}

func same(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if before[path] != after[path] {
			t.Errorf("%s changed %s:\n%s\n%s", what, path, before[path], after[path])
		}
	}
}

func TestRule4NothingThatTheAgentAndTheCustomerGetChangesWithAMonitoring(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.say(c, s.staff("ann"), "public", "hello").is(201)
	callers := map[string]string{"agent": s.staff("ann"), "customer": c.customer}
	before := map[string]map[string]string{}
	for who, token := range callers {
		before[who] = seen(s, c, who, token)
	}
	check := func(what string) {
		t.Helper()
		for who, token := range callers {
			same(t, what+", for the "+who+",", before[who], seen(s, c, who, token))
		}
	}
	s.post(c.path+"/monitor", s.staff("sue"), object{"reason": "training"}).is(200)
	check("monitoring")
	s.post(c.path+"/monitor", s.staff("sam"), nil).is(200)
	check("a second monitoring")
	s.post(c.path+"/leave", s.staff("sam"), nil).is(200)
	check("leaving")
	s.post("/staff/me/logout", s.staff("sue"), nil).is(200)
	check("logging out")
}

func TestRule4ARevisionThatTheAgentGotStillHoldsAfterAMonitoring(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	tag := s.get(c.path, s.staff("ann")).header.Get("Etag")
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.post(c.path+"/help", s.staff("ann"), nil, header{"If-Match", tag}).is(200)
	s.post(c.path+"/messages", s.staff("ann"), object{"visibility": "public", "text": "x"}, header{"If-Match", tag}).problem(409, "stale_revision")
}

func TestRule4TheNumbersOfMessagesHaveNoHolesWhereTheWatchersCameAndWent(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	one := s.say(c, s.staff("ann"), "public", "1").is(201)
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	two := s.say(c, s.staff("ann"), "public", "2").is(201)
	s.post(c.path+"/leave", s.staff("sue"), nil).is(200)
	three := s.say(c, c.customer, "public", "3").is(201)
	for i, a := range []answer{one, two, three} {
		if a.number("seq") != 3+i || a.number("revision") != 2+i || a.header.Get("Etag") != fmt.Sprintf(`"%d"`, 2+i) {
			t.Errorf("message %d: %s", i, a.raw)
		}
	}
}

// A supervisor who takes a chat is an agent like others there: who watches them stays hidden from them.
func TestRule4ASupervisorWhoIsTheAgentDoesNotLearnThatTheyAreWatched(t *testing.T) {
	s := peopled(t)
	c := s.requested("help")
	s.post(c.path+"/accept", s.staff("sue"), nil).is(200)
	sue := s.staff("sue")
	look := func() map[string]string {
		out := map[string]string{}
		for _, path := range []string{c.path, c.path + "/transcript", "/sessions", "/sessions?state=engaged", "/staff/me", "/staff/sam", "/staff", "/profiles/lead"} {
			a := s.get(path, sue).is(200)
			out[path] = a.header.Get("Etag") + " " + string(a.raw)
		}
		report := s.get("/reports/queue-snapshot", sue).is(200)
		queue, _ := report.at("queues.0").(map[string]any)
		out["snapshot queue"] = fmt.Sprint(queue["monitored"], queue["idle_sessions"], queue["agents_available"])
		for _, agent := range report.list("agents") {
			a := agent.(map[string]any)
			out["snapshot agent "+a["staff_id"].(string)] = fmt.Sprint(a["sessions_in_use"], a["idle_sessions"])
		}
		if contains(report, "monitored_by") {
			t.Errorf("the report tells an agent who watches: %s", report.raw)
		}
		return out
	}
	before := look()
	s.post(c.path+"/monitor", s.staff("sam"), nil).is(200)
	same(t, "monitoring", before, look())
	if a := s.get("/reports/queue-snapshot", s.auditor()).is(200); a.number("queues.0.monitored") != 1 {
		t.Errorf("nobody watches: %s", a.raw)
	}
	s.get(c.path+"/transcript?as=supervisor", sue).problem(403, "not_permitted")
}

func TestRule4PositionsTellNoDistanceAndNoIdentity(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/help", s.staff("ann"), nil).is(200)
	again := func() string {
		return s.post(c.path+"/help", s.staff("ann"), nil).is(200).header.Get("Chatwatch-Position")
	}
	one, two := again(), again()
	if one == two || len(one) != len(two) {
		t.Fatalf("the positions %s and %s of acts that changed nothing can be compared", one, two)
	}
}

func TestRule4TheNumbersOfTheWholeAreForOperators(t *testing.T) {
	s := peopled(t)
	if a := s.get("~/metrics", "").is(200); !contains(a, "chatwatch_http_requests_total") {
		t.Fatalf("no metrics: %s", a.raw)
	}
	forwarded := header{"X-Forwarded-For", "203.0.113.7"}
	s.get("~/metrics", "", forwarded).problem(401, "unauthenticated")
	s.get("~/metrics", s.staff("sue"), forwarded).problem(403, "not_permitted")
	s.get("~/metrics", s.auditor(), forwarded).is(200)
	s.get("~/metrics", s.admin(), header{"Forwarded", "for=203.0.113.7"}).is(200)
}

func TestNoPrivateByteReachesACustomer(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	sue := s.staff("sue")
	s.post(c.path+"/monitor", sue, object{"reason": "SECRET-reason"}).is(200)
	s.post(c.path+"/help", s.staff("ann"), object{"note": "SECRET-note"}).is(200)
	s.say(c, sue, "private", "SECRET-coaching").is(201)
	s.post(c.path+"/join", sue, nil).is(200)
	s.say(c, s.staff("ann"), "private", "SECRET-answer").is(201)
	s.post(c.path+"/leave", sue, nil).is(200)
	s.post(c.path+"/conclude", s.staff("ann"), object{"disposition": "SECRET-disposition"}).is(200)
	for _, form := range []string{"application/json", "text/plain", "text/csv", "text/html"} {
		a := s.get(c.path+"/transcript", c.customer, header{"Accept", form}).is(200)
		if bytes.Contains(a.raw, []byte("SECRET")) || bytes.Contains(a.raw, []byte(`"ann"`)) || bytes.Contains(a.raw, []byte(`"sue"`)) {
			t.Errorf("%s: %s", form, a.raw)
		}
		for _, token := range []string{sue, s.staff("ann"), s.auditor(), s.admin()} {
			if b := s.get(c.path+"/transcript?as=customer", token, header{"Accept", form}).is(200); !bytes.Equal(a.raw, b.raw) {
				t.Errorf("what the customer gets is not what others are shown of it:\n%s\n%s", a.raw, b.raw)
			}
		}
	}
	if a := s.get(c.path, c.customer).is(200); bytes.Contains(a.raw, []byte("SECRET")) || contains(a, `"ann"`) || contains(a, "carl@example.com") {
		t.Errorf("%s", a.raw)
	}
	if a := s.get(c.path+"/transcript", s.auditor()).is(http.StatusOK); !contains(a, "SECRET-reason") {
		t.Errorf("the auditor does not see everything: %s", a.raw)
	}
}

func TestACustomersTokenIsGoodForTheirSessionAlone(t *testing.T) {
	s := peopled(t)
	mine, other := s.engaged(), s.engaged()
	s.get(mine.path, mine.customer).is(200)
	for _, path := range []string{other.path, other.path + "/transcript", other.path + "/live", "/sessions/0192b5a0-0000-7000-8000-000000000000", "/sessions/x"} {
		s.get(path, mine.customer).problem(404, "not_found")
	}
	s.say(other, mine.customer, "public", "x").problem(404, "not_found")
	s.post(other.path+"/leave", mine.customer, nil).problem(404, "not_found")
	for _, path := range []string{"/queues", "/queues/help", "/profiles/agent", "/staff/me", "/staff", "/sessions", "/reports/queue-snapshot", "/audit/supervision", "/audit" + mine.path + "/events"} {
		s.get(path, mine.customer).problem(403, "not_permitted")
	}
	s.post(mine.path+"/accept", mine.customer, nil).problem(403, "not_permitted")
	s.say(mine, mine.customer, "private", "x").problem(403, "not_permitted")
}

func TestWhoMayDoWhat(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	ann, sue, olga := s.staff("ann"), s.staff("sue"), s.staff("olga")
	s.put("/queues/x", sue, object{}).problem(403, "not_permitted")
	s.put("/queues/x", s.auditor(), object{}).problem(403, "not_permitted")
	s.say(c, s.auditor(), "public", "x").problem(403, "not_permitted")
	s.post("/staff/ann/logout", s.auditor(), nil).problem(403, "not_permitted")
	s.get("/queues", ann).is(200)
	s.get("/profiles/agent", ann).is(200)
	s.get("/profiles/lead", ann).problem(403, "not_permitted")
	s.get("/profiles/agent", sue).is(200)
	s.get("/profiles", ann).problem(403, "not_permitted")
	s.get("/profiles", sue).is(200)
	s.get("/staff/ann", ann).is(200)
	s.get("/staff/sue", ann).problem(403, "not_permitted")
	s.get("/staff/nobody", ann).problem(403, "not_permitted")
	s.get("/staff/nobody", s.admin()).problem(404, "not_found")
	s.get("/staff", ann).problem(403, "not_permitted")
	s.get("/reports/queue-snapshot", ann).problem(403, "not_permitted")
	s.get("/reports/queue-snapshot/live", ann).problem(403, "not_permitted")
	for _, path := range []string{"/audit/supervision", "/audit" + c.path + "/events", "/audit" + c.path + "/replay"} {
		s.get(path, s.auditor()).is(200)
		for _, token := range []string{ann, sue, s.admin()} {
			s.get(path, token).problem(403, "not_permitted")
		}
	}
	if a := s.get("/reports/queue-snapshot", olga).is(200); len(a.list("queues")) != 1 || contains(a, c.id) {
		t.Errorf("a report of other queues: %s", a.raw)
	}
	if a := s.get("/reports/queue-snapshot", s.admin()).is(200); len(a.list("queues")) != 2 || !contains(a, c.id) {
		t.Errorf("not the whole report: %s", a.raw)
	}
	s.get(c.path, olga).problem(404, "not_found")
	s.get(c.path, s.staff("bob")).problem(404, "not_found")
	s.get(c.path, s.token(domain.RoleStaff, "ghost")).problem(403, "not_permitted")
	s.get(c.path+"/transcript", s.admin()).is(200)
	s.get(c.path+"/transcript", s.auditor()).is(200)
	s.get(c.path+"/transcript?as=auditor", s.admin()).problem(403, "not_permitted")
	s.get(c.path+"/transcript?as=boss", s.admin()).problem(400, "invalid_request")
}
