package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// park leaves an event of a session out of the read models.
func (s *site) park(c chat, projection string) {
	s.t.Helper()
	const insert = `INSERT INTO parked_event (projection, position, stream, revision, event_type, recorded_at, cause)
		VALUES (?, 1, ?, 9, 'SupervisorStartedMonitoring', ?, 'x')`
	must(s.t, s.db.Write(context.Background(), func(tx readstore.Tx) error {
		return tx.One(insert, projection, "session-"+strings.TrimPrefix(c.path, "/sessions/"), readstore.At(time.Now()))
	}))
}

func TestThatEventsAreMissingIsForThoseWhoSeeAllOfTheSession(t *testing.T) {
	s := peopled(t)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	told := map[string]string{"supervisor": s.staff("sue"), "auditor": s.auditor(), "admin": s.admin()}
	untold := map[string]string{"agent": s.staff("ann"), "customer": c.customer}
	before := map[string]map[string]string{}
	for who, token := range untold {
		before[who] = seen(s, c, who, token)
	}
	flag := func(path, token string) bool {
		t.Helper()
		return strings.Contains(string(s.get(path, token).is(200).raw), `"incomplete":true`)
	}
	for who, token := range told {
		if flag(c.path, token) || flag("/sessions", token) || flag(c.path+"/transcript", token) {
			t.Errorf("the %s is told of a session that is whole", who)
		}
	}

	s.park(c, "sessions")
	for who, token := range told {
		if !flag(c.path, token) || !flag("/sessions", token) || flag(c.path+"/transcript", token) {
			t.Errorf("the %s is not told that the report lacks something, or that the transcript does", who)
		}
	}
	s.park(c, "transcript")
	for who, token := range told {
		if !flag(c.path+"/transcript", token) {
			t.Errorf("the %s is not told that the transcript lacks something", who)
		}
		for _, as := range []string{"customer", "agent"} {
			if flag(c.path+"/transcript?as="+as, token) {
				t.Errorf("the %s is told as the %s", who, as)
			}
		}
		for _, form := range []string{"text/plain", "text/html"} {
			if text := string(s.get(c.path+"/transcript", token, header{"Accept", form}).is(200).raw); !strings.Contains(text, "missing") {
				t.Errorf("the %s is not told in %s", who, form)
			}
		}
	}
	for who, token := range untold {
		same(t, "a missing event, for the "+who+",", before[who], seen(s, c, who, token))
	}
}
