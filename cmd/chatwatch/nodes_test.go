package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/simulation"
)

// takeover is within how long another node leads after the one that led has died.
const takeover = 5 * time.Second

func TestOneNodeLeadsAndEveryNodeShowsWhatAnotherWrote(t *testing.T) {
	site := newSharedSite(t, onDatabase(t), 2)
	one, two := site.nodes[0], site.nodes[1]
	if !one.leads() || two.leads() {
		t.Fatalf("the first leads: %v, the second: %v", one.leads(), two.leads())
	}
	admin := one.token("admin", "root")
	for i := range 20 {
		writer, reader := site.nodes[i%2], site.nodes[(i+1)%2]
		path := fmt.Sprintf("/v1/queues/q%d", i)
		written, _ := writer.exchange(http.MethodPut, path, admin, object{"name": path})
		began := time.Now()
		read, list := reader.exchange(http.MethodGet, "/v1/queues", admin, nil, "Chatwatch-After", written.Header.Get("Chatwatch-Position"))
		if read.StatusCode != http.StatusOK || len(list["items"].([]any)) != i+1 {
			t.Fatalf("after %d queues the other node answers %d %v", i+1, read.StatusCode, list)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the other node took %s", took)
		}
	}
	for _, node := range site.nodes {
		for _, s := range node.readModels()["projections"].([]any) {
			if p := s.(map[string]any); p["leader"] == "" || p["lag_events"] != 0.0 || p["lag_ms"] != 0.0 || p["parked_streams"] != 0.0 {
				t.Errorf("%v", p)
			}
		}
		metrics := node.metrics()
		for _, name := range []string{
			`projection_lag_events{projection="sessions"} 0`, `projection_lag_ms{projection="sessions"} 0`,
			`projection_parked_streams{projection="sessions"} 0`, "read_database_up 1",
		} {
			if !strings.Contains(metrics, "\nchatwatch_"+name+"\n") {
				t.Errorf("metrics lack %s", name)
			}
		}
	}
	if !strings.Contains(one.metrics(), "chatwatch_projection_leading 1") || !strings.Contains(two.metrics(), "chatwatch_projection_leading 0") {
		t.Error("metrics do not tell who leads")
	}
	site.verified()
}

func TestAnotherNodeLeadsWhenTheLeaderDiesAndNothingIsLost(t *testing.T) {
	site := newSharedSite(t, onDatabase(t), 2)
	one, two := site.nodes[0], site.nodes[1]
	config := one.simulation(conversations(t, 30))
	config.BaseURL, config.Rate, config.Parallel = two.url(), 150, 16
	done := make(chan error, 1)
	go func() {
		_, err := simulation.Run(t.Context(), config)
		done <- err
	}()
	eventually(t, 10*time.Second, "traffic", func() bool {
		return readUpTo(object{"components": []any{
			map[string]any{"name": "read_models", "details": map[string]any(two.readModels())},
		}}) > 0
	})
	one.kill()
	eventually(t, takeover, "the second node leads", two.leads)
	if status, _ := two.ask(http.MethodGet, "/readyz", "", nil); status != http.StatusOK {
		t.Errorf("the node that has taken over is not ready: %d", status)
	}
	one.start() // and stands by
	one.becomes(http.StatusOK)
	if one.leads() {
		t.Error("who came back leads at once")
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	two.stop() // gives the leases back
	eventually(t, 2*time.Second, "the first node leads again", one.leads)
	site.verified()
}

// TestProcessManagersRunOnOneNode kills the one that has them: offers go on from the state that it left in the database.
func TestProcessManagersRunOnOneNodeAndGoOnOnAnother(t *testing.T) {
	site := newSharedSite(t, onDatabase(t), 2)
	one, two := site.nodes[0], site.nodes[1]
	admin := one.token("admin", "root")
	site.queue(two, "help", "Help")
	two.must(http.StatusCreated, http.MethodPut, "/v1/profiles/agents", admin, object{
		"name": "Agents", "chat": true, "max_sessions": 9, "queues": []string{"help"}, "receive_offers": true,
	})
	two.must(http.StatusCreated, http.MethodPut, "/v1/staff/ann", admin, object{"name": "Ann", "profile_id": "agents"})
	two.must(http.StatusOK, http.MethodPost, "/v1/staff/me/login", one.token("staff", "ann"), nil)
	offered := func() {
		t.Helper()
		made := two.must(http.StatusCreated, http.MethodPost, "/v1/sessions", "", object{
			"queue_id": "help", "customer": object{"name": "Kim"}, "question": "?",
		})
		eventually(t, 2*takeover, "the session is offered", func() bool {
			_, got := two.ask(http.MethodGet, "/v1/sessions/"+made["session_id"].(string), admin, nil)
			return got["state"] == "offered"
		})
	}
	holder := func() string {
		return told(t, site.database, "SELECT coalesce(holder, '') FROM checkpoint WHERE name = 'process_managers'")
	}
	offered()
	first := holder()
	if first == "" || !strings.Contains(first, fmt.Sprintf(" %d ", one.cmd.Process.Pid)) {
		t.Errorf("the process managers run in %q, not in process %d", first, one.cmd.Process.Pid)
	}
	eventually(t, 2*takeover, "their state is stored", func() bool {
		return told(t, site.database, "SELECT count(*) FROM process_state WHERE position > 0") == "2"
	})
	one.kill()
	eventually(t, takeover, "the process managers run in the other node", func() bool {
		return strings.Contains(holder(), fmt.Sprintf(" %d ", two.cmd.Process.Pid))
	})
	offered()
	site.verified()
}
