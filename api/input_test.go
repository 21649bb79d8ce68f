package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
)

func TestBodiesThatAreWrongAreRefusedAndNeverAFailure(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for name, body := range map[string]string{
		"not JSON": "hello", "cut": `{"visibility":"public","text":"x`, "empty": " ", "null": "null", "array": "[]", "text": `"x"`,
		"number": "1", "wrong type": `{"visibility":"public","text":1}`, "object for text": `{"visibility":"public","text":{}}`,
		"unknown field": `{"visibility":"public","text":"x","extra":1}`, "two documents": `{"visibility":"public","text":"x"}{}`,
		"trailing": `{"visibility":"public","text":"x"}x`, "NUL": `{"visibility":"public","text":"a\u0000b"}`,
		"raw NUL": "{\"visibility\":\"public\",\"text\":\"a\x00b\"}", "not UTF-8": "{\"visibility\":\"public\",\"text\":\"a\xffb\"}",
		"half a pair": `{"visibility":"public","text":"a\ud800b"}`, "the other half": `{"visibility":"public","text":"\udc00"}`,
		"no text": `{"visibility":"public"}`, "blank": `{"visibility":"public","text":" \n"}`, "no visibility": `{"text":"x"}`,
		"other visibility": `{"visibility":"secret","text":"x"}`, "deep": strings.Repeat("[", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			a := s.post(c.path+"/messages", s.staff("ann"), body).problem(400, "invalid_request")
			if strings.Contains(a.text("detail"), "secret") {
				t.Errorf("what was sent is repeated: %s", a.raw)
			}
		})
	}
	s.post(c.path+"/messages", s.staff("ann"), nil).problem(400, "invalid_request")
	if a := s.say(c, s.staff("ann"), "public", `😀 "quoted" \ud83d`).is(201); a.text("text") != `😀 "quoted" \ud83d` {
		t.Errorf("a good text was changed: %s", a.raw)
	}
	if a := s.post(c.path+"/messages", c.customer, `{"visibility":"public","text":"\ud83d\ude00"}`).is(201); a.text("text") != "😀" {
		t.Errorf("a pair was changed: %s", a.raw)
	}
}

func TestBodiesThatAreTooLargeAreRefused(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.say(c, s.staff("ann"), "public", strings.Repeat("x", domain.MaxText)).is(201)
	s.say(c, s.staff("ann"), "public", strings.Repeat("x", domain.MaxText+1)).problem(413, "too_large")
	s.say(c, s.staff("ann"), "public", strings.Repeat("x", 1<<20)).problem(413, "too_large")
	s.say(c, c.customer, "public", strings.Repeat("x", 3<<20)).problem(413, "too_large")
	s.post("/sessions", "", object{"queue_id": "help", "customer": object{"name": strings.Repeat("n", 300)}}).problem(413, "too_large")
}

func TestMediaTypesThatAreAbsurdAreRefused(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	body := `{"visibility":"public","text":"x"}`
	for _, media := range []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense", "application/json; charset=latin1", "/", "application/x-www-form-urlencoded"} {
		s.post(c.path+"/messages", s.staff("ann"), body, header{"Content-Type", media}).problem(415, "invalid_request")
	}
	for _, media := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		s.post(c.path+"/messages", s.staff("ann"), body, header{"Content-Type", media}).is(201)
	}
}

func TestPathsMethodsAndIdentifiersThatAreWrong(t *testing.T) {
	s := peopled(t)
	admin := s.admin()
	for _, path := range []string{"/", "/nothing", "/queues/a/b", "/queues/a%2Fb", "/queues/UPPER", "/queues/", "/queues/%00", "/queues/%ff", "/sessions/x", "/sessions/x%2Fy/live", "/staff/..%2F..", "~/", "~/v2/queues", "~/etc/passwd"} {
		s.get(path, admin).problem(404, "not_found")
	}
	for _, path := range []string{"/queues/a%2Fb", "/queues/UPPER", "/queues/-x", "/profiles/a%20b", "/staff/me", "/staff/" + strings.Repeat("x", 65)} {
		s.put(path, admin, object{"profile_id": "agent"}).problem(400, "invalid_request")
		s.put(path, admin, object{}).problem(400, "invalid_request")
	}
	for method, path := range map[string]string{
		http.MethodDelete: "/queues/help", http.MethodPatch: "/staff/ann", http.MethodPost: "/queues", http.MethodPut: "/sessions",
	} {
		if a := s.ask(method, path, admin, nil).problem(405, "invalid_request"); a.header.Get("Allow") == "" {
			t.Errorf("%s %s does not say what is allowed", method, path)
		}
	}
}

func TestQueriesThatAreWrong(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for _, path := range []string{
		"/queues?limit=0", "/queues?limit=-1", "/queues?limit=x", "/queues?limit=501", "/queues?limit=99999999999999999999", "/queues?cursor=x",
		"/queues?limit=1&limit=2", "/queues?unknown=1", "/queues?%zz", "/sessions?state=asleep", "/sessions?queue_id=A+B", "/sessions?cursor=abc",
		c.path + "/transcript?limit=1001", c.path + "/transcript?cursor=AAAAAAAAAAAAAAAAAAAAAA", c.path + "/transcript?as=", c.path + "/live?after=zzz",
		"/reports/queue-snapshot?at=yesterday",
	} {
		if strings.HasSuffix(path, "as=") {
			continue // nothing is asked for
		}
		s.get(path, s.admin()).problem(400, "invalid_request")
	}
	for _, path := range []string{"/events?limit=x", "/events?cursor=x", "/replay?revision=-1", "/replay?revision=x", "/replay?revision=999", "/replay?at=x", "/replay?revision=1&at=2026-01-01T00:00:00Z"} {
		s.get("/audit"+c.path+path, s.auditor()).problem(400, "invalid_request")
	}
	for _, path := range []string{"?open=maybe", "?from=x", "?session_id=x", "?supervisor_id=A"} {
		s.get("/audit/supervision"+path, s.auditor()).problem(400, "invalid_request")
	}
	s.get("/audit"+c.path+"/replay?at=2001-01-01T00:00:00Z", s.auditor()).problem(404, "not_found")
	s.get("/audit/sessions/0192b5a0-0000-7000-8000-000000000000/events", s.auditor()).problem(404, "not_found")
	s.get("/audit/sessions/0192b5a0-0000-7000-8000-000000000000/replay", s.auditor()).problem(404, "not_found")
}

func TestHeadersThatAreWrong(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for _, tag := range []string{"nonsense", `"`, `W/"`, `"1`} {
		s.post(c.path+"/help", s.staff("ann"), nil, header{"If-Match", tag}).problem(400, "invalid_request")
	}
	for _, tag := range []string{`"x"`, `W/"x"`, `"-1"`, `"99999999999999999999"`} {
		s.post(c.path+"/help", s.staff("ann"), nil, header{"If-Match", tag}).problem(409, "stale_revision")
	}
	for _, key := range []string{" ", "a b", strings.Repeat("k", 256), "clé"} {
		s.post(c.path+"/help", s.staff("ann"), nil, header{"Idempotency-Key", key}).problem(400, "invalid_request")
	}
	for _, token := range []string{"x", "AAAAAAAAAAAAAAAAAAAAAA", strings.Repeat("A", 5000)} {
		for _, path := range []string{c.path, c.path + "/transcript", "/queues", "/queues/help", "/sessions", "/reports/queue-snapshot"} {
			s.get(path, s.staff("sue"), header{"Chatwatch-After", token}).problem(400, "invalid_request")
		}
	}
	for _, authorization := range []string{"Bearer", "Bearer ", "Bearer x", "Basic cm9vdDpyb290", "Bearer a.b.c", "nonsense"} {
		a := s.get("/queues", "", header{"Authorization", authorization}).problem(401, "unauthenticated")
		if a.header.Get("WWW-Authenticate") == "" {
			t.Error("the answer does not say how to authenticate")
		}
	}
	s.get("/queues", "").problem(401, "unauthenticated")
	s.post("/sessions", "", object{"queue_id": "help", "customer": object{"name": "x"}}, header{"Authorization", "Bearer x"}).problem(401, "unauthenticated")
	expired, err := s.tokens.Sign(auth.Identity{Subject: "root", Role: domain.RoleAdmin, Issued: time.Now().Add(-2 * time.Hour), Expires: time.Now().Add(-time.Second)})
	must(t, err)
	s.get("/queues", expired).problem(401, "unauthenticated")
}

func TestConfigurationThatIsWrong(t *testing.T) {
	s := peopled(t)
	admin := s.admin()
	for path, body := range map[string]string{
		"/queues/a": `{"name":""}`, "/queues/b": `{"service_level_ms":-1}`, "/queues/c": `{"service_level_ms":1.5}`, "/queues/d": `{"offer_timeout_ms":0}`,
		"/queues/e": `{"agent_private_reply":"never"}`, "/queues/f": `{"queue_id":"other"}`, "/queues/g": `{"service_level_ms":1e400}`,
		"/profiles/a": `{"max_sessions":-1}`, "/profiles/b": `{"max_sessions":"3"}`, "/profiles/c": `{"queues":["help","help"]}`,
		"/profiles/d": `{"queues":"help"}`, "/profiles/e": `{"pull_policy":"none"}`, "/profiles/f": `{"chat":"yes"}`, "/profiles/g": `{"max_sessions":1001}`,
		"/staff/a": `{}`, "/staff/b": `{"profile_id":1}`, "/staff/c": `{"name":"\u0000","profile_id":"agent"}`,
	} {
		s.put(path, admin, body).problem(400, "invalid_request")
	}
	s.put("/profiles/x", admin, object{"queues": []string{"nowhere"}}).problem(400, "unknown_queue")
	s.put("/staff/x", admin, object{"profile_id": "nobody"}).problem(400, "unknown_profile")
	s.post("/sessions", "", object{"queue_id": "nowhere", "customer": object{"name": "x"}}).problem(400, "unknown_queue")
	s.post("/sessions", "", object{"queue_id": "help", "customer": object{"name": ""}}).problem(400, "invalid_request")
	s.post("/sessions", "", object{"queue_id": "help"}).problem(400, "invalid_request")
	s.put("/staff/me/status", s.staff("ann"), object{"status": "asleep"}).problem(400, "invalid_request")
	s.post("/staff/me/login", s.staff("ann"), object{"status": "asleep"}).problem(400, "invalid_request")
	c := s.engaged()
	for _, body := range []string{`{}`, `{"queue_id":"help","staff_id":"bob"}`, `{"queue_id":1}`, `{"staff_id":"nobody"}`} {
		s.post(c.path+"/transfer", s.staff("ann"), body).problem(400, "invalid_request")
	}
	s.post(c.path+"/transfer", s.staff("ann"), object{"queue_id": "nowhere"}).problem(400, "unknown_queue")
	s.post(c.path+"/accept", s.staff("ann"), `{"x":1}`).problem(400, "invalid_request")
}

func TestDefaultsAreFilledIn(t *testing.T) {
	s := bare(t)
	q := s.put("/queues/q1", s.admin(), object{}).is(201)
	for field, want := range map[string]any{
		"name": "q1", "service_level_ms": 30000.0, "short_abandon_ms": 5000.0, "announce_supervisor_join": false,
		"agent_private_reply": "after_join", "offer_timeout_ms": 30000.0, "wrap_up_ms": 0.0,
	} {
		if q.at(field) != want {
			t.Errorf("%s is %v", field, q.at(field))
		}
	}
	p := s.put("/profiles/p1", s.admin(), object{"supervisor": true}).is(201)
	for field, want := range map[string]any{
		"name": "p1", "chat": false, "monitor": false, "max_sessions": 1.0, "pull_policy": "first_due", "allow_decline": true, "receive_offers": false,
	} {
		if p.at(field) != want {
			t.Errorf("%s is %v", field, p.at(field))
		}
	}
	if a := s.put("/profiles/p2", s.admin(), object{"max_sessions": 0}).is(201); a.number("max_sessions") != 0 || a.at("receive_offers") != true {
		t.Errorf("%s", a.raw)
	}
	if a := s.put("/staff/s1", s.admin(), object{"profile_id": "p1"}).is(201); a.text("name") != "s1" || a.at("logged_in") != false {
		t.Errorf("%s", a.raw)
	}
	read := s.get("/queues/q1", s.admin()).is(200)
	s.put("/queues/q1", s.admin(), string(read.raw), header{"If-Match", read.header.Get("Etag")}).is(200)
	s.get("/queues/q1", s.admin(), header{"If-None-Match", read.header.Get("Etag")}).is(304)
	s.put("/queues/q1", s.admin(), object{"name": "x"}, header{"If-Match", `"7"`}).problem(409, "stale_revision")
	s.put("/queues/new", s.admin(), object{}, header{"If-Match", "*"}).problem(409, "stale_revision")
	s.put("/queues/q1", s.admin(), object{"name": "x"}, header{"If-Match", `W/"0"`}).is(200)
}

func TestStrangersAreLimitedByTheirAddress(t *testing.T) {
	s := bare(t, func(c *api.Config) { c.Limits.SessionsPerSecond, c.Limits.SessionsBurst = 0.001, 2 })
	s.put("/queues/help", s.admin(), object{}).is(201)
	body := object{"queue_id": "help", "customer": object{"name": "x"}}
	s.post("/sessions", "", body).is(201)
	s.post("/sessions", "", body).is(201)
	if a := s.post("/sessions", "", body).problem(429, "too_many_requests"); a.header.Get("Retry-After") == "" {
		t.Error("the answer does not say when to try again")
	}
	s.post("/sessions", s.admin(), body).is(201)
}

func TestTheServerTellsOfItself(t *testing.T) {
	s := peopled(t)
	if a := s.get("~/healthz", "").is(200); !contains(a, "ok") {
		t.Errorf("%s", a.raw)
	}
	s.ask(http.MethodHead, "~/healthz", "", nil).is(200)
	if a := s.get("~/readyz", "").is(200); a.text("status") != "ready" {
		t.Errorf("%s", a.raw)
	}
	a := s.get("~/openapi.json", "").is(200)
	if a.text("openapi") != "3.1.0" {
		t.Errorf("not OpenAPI 3.1")
	}
	paths, _ := a.at("paths").(map[string]any)
	for _, path := range []string{"/v1/sessions/{id}/messages", "/v1/reports/queue-snapshot", "/v1/audit/sessions/{id}/replay", "/healthz"} {
		if paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
	if b := s.get("/openapi.json", "").is(200); !bytes.Equal(a.raw, b.raw) {
		t.Error("there are two descriptions")
	}
	if a := s.get("~/docs", "").is(200); contains(a, "https://") || contains(a, "<script") || !contains(a, "/v1/sessions/{id}/messages") {
		t.Errorf("the documentation needs others or is not complete: %s", a.raw)
	}
	r := s.get("/queues", s.admin(), header{"X-Request-Id", "abc-1"})
	if r.header.Get("X-Request-Id") != "abc-1" || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers %v", r.header)
	}
	if r := s.get("/queues", s.admin(), header{"X-Request-Id", `"<bad>"`}); strings.ContainsAny(r.header.Get("X-Request-Id"), `"<>`) {
		t.Errorf("headers %v", r.header)
	}
	if !json.Valid(a.raw) {
		t.Error("not JSON")
	}
}

func TestThePartsThatAreNotReadyAreTold(t *testing.T) {
	s := bare(t, func(c *api.Config) {
		c.Components = []api.Component{{Name: "log", Check: broken}, {Name: "reports", Check: fine}}
	})
	a := s.get("~/readyz", "").is(503)
	if a.text("components.0.status") != "not_ready" || a.text("components.1.status") != "ready" || a.number("components.1.details.lag") != 7 {
		t.Errorf("%s", a.raw)
	}
	if b := s.get("~/readyz", "", header{"X-Forwarded-For", "203.0.113.7"}).is(503); contains(b, "lag") || contains(b, "secret") {
		t.Errorf("a stranger is told numbers: %s", b.raw)
	}
}

func TestHeadAnswersLikeGetWithoutABody(t *testing.T) {
	s := peopled(t)
	get, head := s.get("/queues/help", s.admin()).is(200), s.ask("HEAD", "/queues/help", s.admin(), nil).is(200)
	if len(head.raw) != 0 || head.header.Get("ETag") != get.header.Get("ETag") || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
		t.Errorf("HEAD gave %v and %q, GET gave %v", head.header, head.raw, get.header)
	}
	s.ask("HEAD", "/queues/none", s.admin(), nil).is(404)
}

func TestOperationsAnswerAtTheRootAndBelowTheBase(t *testing.T) {
	s := peopled(t)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"} {
		s.get("~"+path, "").is(200)
		s.get(path, "").is(200)
	}
}
