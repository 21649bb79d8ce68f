package api_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func key(k string) header { return header{"Idempotency-Key", k} }

func TestARequestThatIsSentAgainIsAnsweredAsTheFirstAndCarriedOutOnce(t *testing.T) {
	s := peopled(t)
	body := object{"queue_id": "help", "customer": object{"name": "Carl"}}
	one := s.post("/sessions", "", body, key("k1")).is(201)
	again := s.post("/sessions", "", body, key("k1")).is(201)
	if one.text("session_id") != again.text("session_id") || one.text("customer_token") != again.text("customer_token") {
		t.Errorf("two sessions:\n%s\n%s", one.raw, again.raw)
	}
	if again.header.Get("Idempotent-Replayed") != "true" || one.header.Get("Idempotent-Replayed") != "" {
		t.Error("the second answer does not say that it is one")
	}
	c := chat{one.text("session_id"), one.text("customer_token"), "/sessions/" + one.text("session_id")}
	for _, verb := range []struct{ path, token string }{
		{"/accept", s.staff("ann")}, {"/help", s.staff("ann")}, {"/monitor", s.staff("sue")}, {"/join", s.staff("sue")},
	} {
		s.post(c.path+verb.path, verb.token, nil, key("k"+verb.path)).is(200)
		if a := s.post(c.path+verb.path, verb.token, nil, key("k"+verb.path)).is(200); a.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s was carried out twice", verb.path)
		}
	}
	events := len(s.get("/audit"+c.path+"/events", s.auditor()).list("events"))
	for _, token := range []string{s.staff("sue"), s.staff("ann"), c.customer} {
		visibility := "private"
		if token == c.customer {
			visibility = "public"
		}
		first := s.post(c.path+"/messages", token, object{"visibility": visibility, "text": "x"}, key("m")).is(201)
		s.say(c, s.staff("ann"), "public", "between").is(201)
		second := s.post(c.path+"/messages", token, fmt.Sprintf(`{"text":"x", "visibility":%q}`, visibility), key("m")).is(201)
		if string(first.raw) != string(second.raw) || second.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("two answers:\n%s\n%s", first.raw, second.raw)
		}
	}
	if now := len(s.get("/audit"+c.path+"/events", s.auditor()).list("events")); now != events+6 {
		t.Errorf("%d events instead of 6", now-events)
	}
	s.put("/queues/again", s.admin(), object{}, key("q")).is(201)
	s.put("/queues/again", s.admin(), object{"name": "other"}).is(200)
	s.put("/queues/again", s.admin(), object{}, key("q")).is(201)
}

func TestAKeyIsGoodForOneRequestOfOneCaller(t *testing.T) {
	s := peopled(t)
	c, other := s.engaged(), s.engaged()
	ann := s.staff("ann")
	message := object{"visibility": "public", "text": "x"}
	s.post(c.path+"/messages", ann, message, key("k")).is(201)
	s.post(c.path+"/messages", ann, object{"visibility": "public", "text": "y"}, key("k")).problem(409, "idempotency_key_reused")
	s.post(c.path+"/help", ann, nil, key("k")).problem(409, "idempotency_key_reused")
	mine := s.post(c.path+"/messages", c.customer, message, key("k")).is(201)
	elsewhere := s.post(other.path+"/messages", ann, message, key("k")).is(201)
	if mine.header.Get("Idempotent-Replayed") != "" || elsewhere.header.Get("Idempotent-Replayed") != "" || mine.text("message_id") == elsewhere.text("message_id") {
		t.Error("a key is shared between callers or sessions")
	}
}

func TestARequestThatWasRefusedIsTriedAgain(t *testing.T) {
	s := peopled(t)
	c := s.requested("help")
	s.post(c.path+"/messages", c.customer, object{"visibility": "public", "text": "x"}, key("k")).problem(409, "session_not_engaged")
	s.post(c.path+"/accept", s.staff("ann"), nil).is(200)
	s.post(c.path+"/messages", c.customer, object{"visibility": "public", "text": "x"}, key("k")).is(201)
}

func TestATranscriptIsReadInPages(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for i := range 5 {
		s.say(c, c.customer, "public", fmt.Sprint("n", i)).is(201)
	}
	whole := s.get(c.path+"/transcript", s.staff("ann")).is(200)
	var texts []string
	path := c.path + "/transcript?limit=3"
	for pages := 0; path != ""; pages++ {
		a := s.get(path, s.staff("ann")).is(200)
		for _, e := range a.list("entries") {
			texts = append(texts, fmt.Sprint(e.(map[string]any)["seq"], e.(map[string]any)["text"]))
		}
		if path = ""; a.text("next_cursor") != "" {
			path = c.path + "/transcript?limit=3&cursor=" + a.text("next_cursor")
		}
		if pages > 3 {
			t.Fatal("the pages do not end")
		}
	}
	if got := strings.Join(texts, " "); got != "1Where is my parcel? 2 3n0 4n1 5n2 6n3 7n4" || whole.number("revision") != 6 {
		t.Fatalf("got %s of %s", got, whole.raw)
	}
}

func TestATranscriptHasFourForms(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.say(c, c.customer, "public", "=1+1,\"<b>\n").is(201)
	for accept, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "application/json": "application/json", "text/plain": "text/plain; charset=utf-8",
		"text/csv": "text/csv; charset=utf-8; header=present", "text/html,application/xml;q=0.9,*/*;q=0.8": "text/html; charset=utf-8",
		"application/json;q=0.5, text/csv": "text/csv; charset=utf-8; header=present", "nonsense": "application/json",
	} {
		if a := s.get(c.path+"/transcript", s.staff("ann"), header{"Accept", accept}).is(200); a.header.Get("Content-Type") != want {
			t.Errorf("%q gave %s", accept, a.header.Get("Content-Type"))
		}
	}
	table := s.get(c.path+"/transcript", s.staff("ann"), header{"Accept", "text/csv"})
	rows, err := csv.NewReader(strings.NewReader(string(table.raw))).ReadAll()
	must(t, err)
	if len(rows) != 4 || rows[0][0] != "seq" || rows[3][7] != "'=1+1,\"<b>\n" || rows[2][4] != "ann" {
		t.Errorf("got %q", rows)
	}
	if page := s.get(c.path+"/transcript", s.staff("ann"), header{"Accept", "text/html"}); contains(page, "<b>") || !contains(page, "&lt;b&gt;") {
		t.Errorf("not escaped: %s", page.raw)
	}
	s.say(c, c.customer, "public", "a\rb\r\nc\u2028d").is(201)
	if page := s.get(c.path+"/transcript", s.staff("ann"), header{"Accept", "text/plain"}); !contains(page, "a\n    b\n    c\n    d\n") {
		t.Errorf("what somebody wrote looks like an entry: %q", page.raw)
	}
}

func TestALesserRolesTranscriptIsShownOnRequest(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("sue"), "private", "psst").is(201)
	agent := s.get(c.path+"/transcript", s.staff("ann")).is(200)
	for _, token := range []string{s.staff("sue"), s.auditor(), s.admin()} {
		if a := s.get(c.path+"/transcript?as=agent", token).is(200); string(a.raw) != string(agent.raw) {
			t.Errorf("not what the agent gets:\n%s\n%s", agent.raw, a.raw)
		}
	}
	s.get(c.path+"/transcript?as=supervisor", s.staff("ann")).problem(403, "not_permitted")
	s.get(c.path+"/transcript?as=agent", c.customer).problem(403, "not_permitted")
	s.get(c.path+"/transcript?as=customer", c.customer).is(200)
}

func TestAReadWaitsForThePositionOfAWrite(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	for i := range 20 {
		position := s.say(c, c.customer, "public", fmt.Sprint("n", i, ".")).is(201).header.Get("Chatwatch-Position")
		after := header{"Chatwatch-After", position}
		if a := s.get(c.path+"/transcript", s.staff("ann"), after).is(200); !contains(a, fmt.Sprint("n", i, ".")) {
			t.Fatalf("the write is not in the read: %s", a.raw)
		}
	}
	waiting := s.requested("help")
	if a := s.get("/sessions?state=queued", s.staff("ann")).is(200); !contains(a, waiting.id) {
		t.Fatalf("the write is not in the list: %s", a.raw)
	}
	report := s.get("/reports/queue-snapshot", s.staff("sue")).is(200)
	s.get("/sessions", s.staff("sue"), header{"Chatwatch-After", report.text("position")}).is(200)
}

// stuck is a read model that does not move.
type stuck struct{}

func (stuck) Position() eventstore.Position { return 0 }

func (stuck) WaitFor(ctx context.Context, _ eventstore.Position) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAReadThatIsBehindSaysSoOnlyToWhoAsked(t *testing.T) {
	s := peopled(t, func(c *api.Config) {
		c.Progress = stuck{}
		c.Limits.AfterTimeout, c.Limits.ListWait, c.Limits.SessionWait = time.Millisecond, time.Millisecond, time.Millisecond
	})
	c := s.engaged()
	position := s.say(c, c.customer, "public", "x").header.Get("Chatwatch-Position")
	for _, path := range []string{c.path + "/transcript", "/sessions", "/queues"} {
		s.get(path, s.staff("ann")).is(200)
		a := s.get(path, s.staff("ann"), header{"Chatwatch-After", position}).problem(http.StatusServiceUnavailable, "projection_behind")
		wanted, reached := a.text("wanted"), a.text("reached")
		if a.header.Get("Retry-After") == "" || len(wanted) != len(position) || len(reached) != len(position) || wanted == position || wanted == reached {
			t.Errorf("%s: Retry-After %q, wanted %q, reached %q", path, a.header.Get("Retry-After"), wanted, reached)
		}
		s.get(path, s.staff("ann"), header{"Chatwatch-After", reached}).is(200) // both are positions that a read takes
		s.get(path, s.staff("ann"), header{"Chatwatch-After", wanted}).problem(http.StatusServiceUnavailable, "projection_behind")
	}
}

func TestAnAuditorReplaysASessionAsItWas(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), object{"reason": "training"}).is(200)
	s.say(c, c.customer, "public", "hello").is(201)
	s.post(c.path+"/conclude", s.staff("ann"), nil).is(200)
	events := s.get("/audit"+c.path+"/events", s.auditor()).is(200).list("events")
	for i, e := range events {
		raw := e.(map[string]any)
		a := s.get(fmt.Sprintf("/audit%s/replay?revision=%d", c.path, i), s.auditor()).is(200)
		if got := a.list("transcript.entries"); len(got) != i+1 || a.number("revision") != i || raw["revision"] != float64(i) {
			t.Fatalf("revision %d: %s", i, a.raw)
		}
		if raw["type"] != a.list("transcript.entries")[i].(map[string]any)["type"] || raw["metadata"].(map[string]any)["actor_role"] == nil {
			t.Fatalf("event %d: %v", i, raw)
		}
	}
	watched := s.get("/audit"+c.path+"/replay?revision=3", s.auditor()).is(200)
	if watched.text("state.state") != "engaged" || watched.text("state.monitored_by.0.staff_id") != "sue" {
		t.Fatalf("%s", watched.raw)
	}
	if a := s.get("/audit"+c.path+"/replay?at="+watched.text("as_of"), s.auditor()).is(200); a.number("revision") < 3 {
		t.Fatalf("%s", a.raw)
	}
	if a := s.get("/audit"+c.path+"/replay", s.auditor()).is(200); a.text("state.state") != "concluded" {
		t.Fatalf("%s", a.raw)
	}
	page := s.get("/audit"+c.path+"/events?limit=2", s.auditor()).is(200)
	if next := s.get("/audit"+c.path+"/events?limit=2&cursor="+page.text("next_cursor"), s.auditor()).is(200); next.number("events.0.revision") != 2 {
		t.Fatalf("%s", next.raw)
	}
	list := s.get("/audit/supervision?supervisor_id=sue", s.auditor()).is(200)
	if list.text("items.0.reason") != "training" || list.text("items.0.agent_id") != "ann" || list.text("items.0.end_reason") != "session_ended" {
		t.Fatalf("%s", list.raw)
	}
	if a := s.get("/audit/supervision?open=true", s.auditor()).is(200); len(a.list("items")) != 0 {
		t.Fatalf("%s", a.raw)
	}
}

func TestSessionsAreListedAsTheCallerMayKnowThem(t *testing.T) {
	s := peopled(t)
	mine, waiting, sales := s.engaged(), s.requested("help"), s.requested("sales")
	ids := func(path, token string) string {
		var out []string
		for _, item := range s.get(path, token).is(200).list("items") {
			for name, c := range map[string]chat{"mine": mine, "waiting": waiting, "sales": sales} {
				if item.(map[string]any)["session_id"] == c.id {
					out = append(out, name)
				}
			}
		}
		return strings.Join(out, " ")
	}
	for _, check := range []struct{ path, token, want string }{
		{"/sessions", s.admin(), "sales waiting mine"}, {"/sessions", s.auditor(), "sales waiting mine"},
		{"/sessions", s.staff("ann"), "waiting mine"}, {"/sessions", s.staff("bob"), "waiting"},
		{"/sessions", s.staff("sue"), "waiting mine"}, {"/sessions", s.staff("olga"), "sales"},
		{"/sessions?state=engaged", s.admin(), "mine"}, {"/sessions?state=engaged,queued&queue_id=help", s.admin(), "waiting mine"},
		{"/sessions?agent_id=me", s.staff("ann"), "mine"}, {"/sessions?agent_id=ann", s.staff("bob"), ""},
	} {
		if got := ids(check.path, check.token); got != check.want {
			t.Errorf("%s gave %q instead of %q", check.path, got, check.want)
		}
	}
	offer(s, waiting, "ann")
	if got := ids("/sessions?state=queued", s.staff("bob")); got != "waiting" {
		t.Errorf("an offer to another hides the session: %q", got)
	}
	if got := ids("/sessions?state=offered", s.staff("ann")); got != "waiting" {
		t.Errorf("one's own offer is not listed: %q", got)
	}
}

func TestTheTagOfAnothersDutyIsHonoured(t *testing.T) {
	s := peopled(t)
	read := s.get("/staff/ann", s.staff("sue")).is(200)
	tag := read.header.Get("Etag")
	s.put("/staff/ann/status", s.staff("sue"), object{"status": "on_break"}, header{"If-Match", tag}).is(200)
	s.put("/staff/ann/status", s.staff("sue"), object{"status": "available"}, header{"If-Match", tag}).problem(409, "stale_revision")
	mine := s.get("/staff/me", s.staff("ann")).header.Get("Etag")
	s.put("/staff/me/status", s.staff("ann"), object{"status": "available"}, header{"If-Match", mine}).is(200)
}
