package api_test

import (
	"testing"
	"time"
)

func TestAuditorsLearnWhoReadOrExportedWhat(t *testing.T) {
	s, c := observed(t)
	iris := s.auditor()
	s.get(c.path+"/transcript", s.staff("sue")).is(200)
	s.get(c.path+"/transcript", s.staff("ann"), header{"Accept", "text/csv"}).is(200)
	s.get("/audit"+c.path+"/replay?revision=0", iris).is(200)
	a := s.get("/audit/access", iris).is(200) // it waits for what this node has recorded
	if len(a.list("items")) != 3 || a.text("items.0.kind") != "replay" || a.number("items.0.revision") != 0 || a.at("items.0.at") != nil {
		t.Errorf("%s", a.raw)
	}
	export := a.at("items.1").(map[string]any)
	for name, want := range map[string]any{
		"reader_id": "ann", "reader_role": "staff", "kind": "transcript", "session_id": c.id, "queue_id": "help", "as": "agent", "format": "csv",
	} {
		if export[name] != want {
			t.Errorf("%s of the export is %v", name, export[name])
		}
	}
	if _, there := export["revision"]; there || len(export) != 8 {
		t.Errorf("the export is told as %v", export)
	}
	if a := s.get("/audit/access", iris).is(200); a.text("items.0.kind") != "access" || a.text("items.0.reader_id") != "iris" {
		t.Errorf("who read who read: %s", a.raw)
	}
	for _, token := range []string{s.staff("ann"), s.staff("sue"), s.admin(), c.customer} {
		s.get("/audit/access", token).problem(403, "not_permitted")
	}
}

func TestReadingsAreFilteredAndPaged(t *testing.T) {
	s, c := observed(t)
	iris := s.auditor()
	for range 5 {
		s.get(c.path+"/transcript", iris, header{"Accept", "text/csv"}).is(200)
	}
	s.get("/audit"+c.path+"/events", iris).is(200)
	s.get(c.path+"/transcript", s.staff("sue")).is(200)
	count, cursor := 0, ""
	for {
		a := s.get("/audit/access?limit=2&session_id="+c.id+"&cursor="+cursor, iris).is(200)
		count += len(a.list("items"))
		if cursor = a.text("next_cursor"); cursor == "" {
			break
		}
	}
	if count != 7 { // the look itself is later than its first page
		t.Errorf("the pages hold %d", count)
	}
	hour := time.Now().UTC().Add(time.Hour).Format(time.RFC3339)
	for query, want := range map[string]int{
		"?kind=transcript&session_id=" + c.id: 6, "?reader_id=sue": 1, "?reader_id=nobody": 0, "?kind=events": 1, "?kind=live": 0,
		"?kind=transcript&reader_id=iris": 5, "?session_id=" + c.id + "&reader_id=iris&kind=events": 1,
		"?kind=transcript&from=2026-01-01T00:00:00Z&to=" + hour: 6, "?kind=transcript&from=" + hour: 0, "?kind=transcript&to=2026-01-01T00:00:00Z": 0,
	} {
		if a := s.get("/audit/access"+query, iris).is(200); len(a.list("items")) != want {
			t.Errorf("%s has %d of %d: %s", query, len(a.list("items")), want, a.raw)
		}
	}
	other := s.get("/audit/supervision?limit=1", iris).is(200)
	for _, query := range []string{
		"?kind=gossip", "?session_id=x", "?from=noon", "?limit=501", "?cursor=x", "?cursor=" + other.text("next_cursor") + "x", "?who=iris",
		"?reader_id=%ff", "?reader_id=%00",
	} {
		s.get("/audit/access"+query, iris).problem(400, "invalid_request")
	}
}

// Rule 4: who reads is as silent as who watches.
func TestRule4NothingThatTheAgentAndTheCustomerGetChangesWithAReading(t *testing.T) {
	s, c := observed(t)
	ann := s.staff("ann")
	streams := map[string]*stream{"agent": s.open(c.path+"/live", ann), "customer": s.open(c.path+"/live", c.customer)}
	for _, open := range streams {
		open.until("PublicMessageSent")
	}
	agent, customer := seen(s, c, "agent", ann), seen(s, c, "customer", c.customer)
	for _, token := range []string{s.auditor(), s.admin(), s.staff("sue")} {
		s.get(c.path+"/transcript", token).is(200)
		s.get(c.path+"/transcript", token, header{"Accept", "text/html"}).is(200)
		s.open(c.path+"/live", token).next()
	}
	s.get("/audit"+c.path+"/events", s.auditor()).is(200)
	s.get("/audit"+c.path+"/replay", s.auditor()).is(200)
	same(t, "reading, for the agent,", agent, seen(s, c, "agent", ann))
	same(t, "reading, for the customer,", customer, seen(s, c, "customer", c.customer))
	s.say(c, ann, "public", "next").is(201)
	for who, open := range streams {
		if e := open.next(); e.name != "PublicMessageSent" {
			t.Errorf("the %s was sent %s", who, e.name)
		}
	}
}
