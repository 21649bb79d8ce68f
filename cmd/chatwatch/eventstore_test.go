package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/simulation"
)

// namesItsStore keeps a test from running in both passes of the tests: it does not depend on the store that they run on.
func namesItsStore(t *testing.T) {
	if teststore.OverWire() {
		t.Skip("the test names its event stores itself, and runs in the pass over the embedded one")
	}
}

// token signs for somebody.
func (s *server) token(role, subject string) string {
	s.t.Helper()
	signed, err := sign(s.tokens(), role, subject, "", time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

type object map[string]any

// ask sends a request and gives the answer's status and members.
func (s *server) ask(method, path, token string, body object) (int, object) {
	s.t.Helper()
	var payload []byte
	if body != nil {
		payload, _ = json.Marshal(body)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url()+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := object{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && !errors.Is(err, io.EOF) {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, answer
}

// must asks, and fails the test when the answer is not the one that is wanted.
func (s *server) must(want int, method, path, token string, body object) object {
	s.t.Helper()
	status, answer := s.ask(method, path, token, body)
	if status != want {
		s.t.Fatalf("%s %s: %d %v, want %d", method, path, status, answer, want)
	}
	return answer
}

// becomes waits until /readyz answers so.
func (s *server) becomes(want int) {
	s.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for patience := time.After(30 * time.Second); ; {
		status, answer := s.ask(http.MethodGet, "/readyz", "", nil)
		if status == want {
			return
		}
		select {
		case <-again.C:
		case <-patience:
			s.t.Fatalf("readyz answers %d %v, want %d", status, answer, want)
		}
	}
}

func TestNothingAcknowledgedIsLostOrDoubledWhenTheEventStoreIsLost(t *testing.T) {
	namesItsStore(t)
	events := teststore.Serve(t, teststore.Embedded(t))
	s := startServer(t, "--eventstore", events.URL())
	config := s.simulation(conversations(t, 70))
	config.Rate = 100 // so that there is load at every loss
	done := make(chan error, 1)
	go func() {
		_, err := simulation.Run(t.Context(), config)
		done <- err
	}()
	again := time.NewTicker(700 * time.Millisecond)
	defer again.Stop()
	for range 3 {
		<-again.C
		events.Stop()
		s.becomes(http.StatusServiceUnavailable)
		status, answer := s.ask(http.MethodPost, "/v1/sessions", "", object{
			"queue_id": "billing", "customer": object{"name": "Kim"}, "question": "?",
		})
		if status != http.StatusServiceUnavailable || answer["code"] != "unavailable" {
			t.Errorf("a write without the event store: %d %v", status, answer)
		}
		events.Start()
		s.becomes(http.StatusOK)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.stop()
	for _, args := range [][]string{{"verify"}, {"rebuild", "--compare", "all"}} {
		if out, err := s.command(args...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// TestTwoNodesKeepOneLimit is rule 12 with two nodes: N requests against k idle sessions give exactly k monitorings, whatever
// node they reach.
func TestTwoNodesKeepOneLimit(t *testing.T) {
	namesItsStore(t)
	events := teststore.Serve(t, teststore.Embedded(t))
	one := startServer(t, "--eventstore", events.URL())
	two := startServer(t, "--eventstore", events.URL(), "--key-file", filepath.Join(one.dir, "secret.key"))
	nodes := []*server{one, two}
	admin, sam := one.token("admin", "root"), one.token("staff", "sam")
	one.must(http.StatusCreated, http.MethodPut, "/v1/queues/help", admin, object{"name": "Help"})
	one.must(http.StatusCreated, http.MethodPut, "/v1/profiles/agents", admin, object{
		"name": "Agents", "chat": true, "max_sessions": 20, "queues": []string{"help"},
	})
	const limit, wanted = 3, 8
	one.must(http.StatusCreated, http.MethodPut, "/v1/profiles/leads", admin, object{
		"name": "Leads", "chat": true, "supervisor": true, "monitor": true, "max_sessions": limit, "queues": []string{"help"},
	})
	two.must(http.StatusCreated, http.MethodPut, "/v1/staff/ann", admin, object{"name": "Ann", "profile_id": "agents"})
	two.must(http.StatusCreated, http.MethodPut, "/v1/staff/sam", admin, object{"name": "Sam", "profile_id": "leads"})
	ann := one.token("staff", "ann")
	one.must(http.StatusOK, http.MethodPost, "/v1/staff/me/login", ann, object{"status": "unavailable"})
	two.must(http.StatusOK, http.MethodPost, "/v1/staff/me/login", sam, nil)
	var sessions []string
	for i := range wanted {
		made := nodes[i%2].must(http.StatusCreated, http.MethodPost, "/v1/sessions", "", object{
			"queue_id": "help", "customer": object{"name": "Kim"}, "question": "?",
		})
		id := made["session_id"].(string)
		nodes[(i+1)%2].must(http.StatusOK, http.MethodPost, "/v1/sessions/"+id+"/accept", ann, nil)
		sessions = append(sessions, id)
	}
	for round := range 3 {
		var got atomic.Int64
		var refused sync.Map
		var together sync.WaitGroup
		for i, id := range sessions {
			for _, node := range nodes {
				together.Go(func() {
					status, answer := node.ask(http.MethodPost, "/v1/sessions/"+id+"/monitor", sam, nil)
					switch code, _ := answer["code"].(string); {
					case status == http.StatusOK:
						got.Add(1)
					case code != "no_idle_session" && code != "already_monitoring":
						refused.Store(fmt.Sprint(i, status, answer), true)
					}
				})
			}
		}
		together.Wait()
		refused.Range(func(what, _ any) bool { t.Errorf("round %d: %v", round, what); return true })
		if got.Load() != limit {
			t.Fatalf("round %d: %d monitorings, want %d", round, got.Load(), limit)
		}
		for _, node := range nodes {
			if me := node.must(http.StatusOK, http.MethodGet, "/v1/staff/me", sam, nil); me["sessions_in_use"] != float64(limit) {
				t.Fatalf("round %d: %v sessions are in use, want %d", round, me["sessions_in_use"], limit)
			}
		}
		for i, id := range sessions {
			_, _ = nodes[i%2].ask(http.MethodPost, "/v1/sessions/"+id+"/leave", sam, nil)
		}
	}
	two.must(http.StatusOK, http.MethodPost, "/v1/staff/me/logout", sam, nil)
}

// TestTwoNodesServeOneSite plays conversations through both nodes at a time, with the process managers of both running.
func TestTwoNodesServeOneSite(t *testing.T) {
	namesItsStore(t)
	log := teststore.Embedded(t)
	events := teststore.Serve(t, log)
	one := startServer(t, "--eventstore", events.URL())
	two := startServer(t, "--eventstore", events.URL(), "--key-file", filepath.Join(one.dir, "secret.key"))
	foreign := []eventstore.Event{{ID: uuid.New(), Type: "OrderPlaced", Data: []byte("{}"), Metadata: []byte("[]")}}
	if _, err := log.Append(t.Context(), "order-1", eventstore.NoStream, foreign); err != nil { // of another program
		t.Fatal(err)
	}
	all := conversations(t, 25)
	var group sync.WaitGroup
	for i, node := range []*server{one, two} {
		config := one.simulation(all)
		config.BaseURL, config.Prefix, config.Parallel = node.url(), fmt.Sprintf("site%d", i), 8
		group.Go(func() {
			if _, err := simulation.Run(t.Context(), config); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	group.Wait()
	for _, node := range []*server{one, two} {
		ready := node.must(http.StatusOK, http.MethodGet, "/readyz", "", nil)
		if text := fmt.Sprint(ready); !strings.Contains(text, "parked_streams:0") || !strings.Contains(text, "lag_events:") {
			t.Errorf("readyz tells %s", text)
		}
	}
	one.stop()
	two.stop()
	if out, err := one.command("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	for _, node := range []*server{one, two} {
		if out, err := node.command("rebuild", "--compare", "all"); err != nil {
			t.Errorf("rebuild: %v\n%s", err, out)
		}
	}
}

func TestAnUnreachableEventStoreIsToldInOneLine(t *testing.T) {
	namesItsStore(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var out, errs bytes.Buffer
	err = run(t.Context(), []string{
		"serve", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0",
		"--eventstore", "esdb://ops:s3cret@" + l.Addr().String(), "--eventstore-wait", "300ms", "--log-level", "warn",
	}, &out, &errs)
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("it ends with %v", err)
	}
	if n := strings.Count(errs.String(), "\n"); n != 1 || strings.Contains(errs.String()+err.Error(), "s3cret") {
		t.Errorf("%d lines are logged:\n%s", n, errs.String())
	}
}

// fails runs serve on the server's data directory, which has to be refused, and gives the reason.
func (s *server) fails(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	err := run(ctx, append([]string{"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0"}, args...), io.Discard, io.Discard)
	if err == nil {
		s.t.Fatalf("serve %v was not refused", args)
	}
	return err.Error()
}

// noted waits until the data directory tells which log it is of, and its read models hold something of it.
func (s *server) noted() {
	s.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for patience := time.After(20 * time.Second); ; {
		var o origin
		data, err := os.ReadFile(filepath.Join(s.dir, "log.json"))
		_, ready := s.ask(http.MethodGet, "/readyz", "", nil)
		if err == nil && json.Unmarshal(data, &o) == nil && o.First != uuid.Nil && readUpTo(ready) > 0 {
			return
		}
		select {
		case <-again.C:
		case <-patience:
			s.t.Fatal("it was not noted")
		}
	}
}

// readUpTo is the position of the read models that /readyz tells.
func readUpTo(ready object) (position float64) {
	components, _ := ready["components"].([]any)
	for _, c := range components {
		part, _ := c.(map[string]any)
		if details, ok := part["details"].(map[string]any); ok && part["name"] == "read_models" {
			position, _ = details["position"].(float64)
		}
	}
	return position
}

func TestADataDirectoryIsOfOneLog(t *testing.T) {
	namesItsStore(t)
	events, others := teststore.Serve(t, teststore.Embedded(t)), teststore.Serve(t, teststore.Embedded(t))
	queue := func(s *server, id string) {
		s.must(http.StatusCreated, http.MethodPut, "/v1/queues/"+id, s.token("admin", "root"), object{"name": id})
	}
	s := startServer(t, "--eventstore", events.URL())
	queue(s, "one")
	s.noted()
	s.stop()
	other := startServer(t, "--eventstore", others.URL())
	for i := range 20 {
		queue(other, fmt.Sprintf("other-%d", i))
	}
	other.stop()
	if reason := s.fails("--eventstore", others.URL()); !strings.Contains(reason, "another log") {
		t.Errorf("a longer log of others: %s", reason)
	}
	fresh := teststore.Embedded(t) // as a server that holds nothing but what is its own
	for range 50 {
		own := []eventstore.Event{{ID: uuid.New(), Type: "$stats", Data: []byte("{}"), Metadata: []byte("{}")}}
		if _, err := fresh.Append(t.Context(), "$stats-1", eventstore.Any, own); err != nil {
			t.Fatal(err)
		}
	}
	for name, log := range map[string]eventstore.Store{"a server with events of its own": fresh, "an empty one": teststore.Embedded(t)} {
		if reason := s.fails("--eventstore", teststore.Serve(t, log).URL()); !strings.Contains(reason, "read models") {
			t.Errorf("%s: %s", name, reason)
		}
	}
	if reason := s.fails(); !strings.Contains(reason, "--eventstore is not given") {
		t.Errorf("without --eventstore: %s", reason)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "events.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a log was made in the data directory of another: %v", err)
	}
	embedded := startServer(t)
	queue(embedded, "two")
	embedded.noted()
	embedded.stop()
	if reason := embedded.fails("--eventstore", events.URL()); !strings.Contains(reason, "embedded log") {
		t.Errorf("an embedded site with --eventstore: %s", reason)
	}
	s.start() // with its own it goes on
	if got := s.must(http.StatusOK, http.MethodGet, "/v1/queues/one", s.token("admin", "root"), nil); got["name"] != "one" {
		t.Errorf("%v", got)
	}
}

// TestNodesOverTheLogOfAServerThatServesToo is a site whose event store is a chatwatch that serves as well: it must not take
// what it remembers for all there is.
func TestNodesOverTheLogOfAServerThatServesToo(t *testing.T) {
	namesItsStore(t)
	address := freePort(t)
	store := startServer(t, "--eventstore-listen", address, "--eventstore-writes")
	node := startServer(t, "--eventstore", "esdb://"+address+"?tls=false", "--key-file", filepath.Join(store.dir, "secret.key"))
	admin, ann, sam := store.token("admin", "root"), store.token("staff", "ann"), store.token("staff", "sam")
	node.must(http.StatusCreated, http.MethodPut, "/v1/queues/help", admin, object{"name": "Help"})
	node.must(http.StatusCreated, http.MethodPut, "/v1/profiles/leads", admin, object{
		"name": "Leads", "chat": true, "supervisor": true, "monitor": true, "max_sessions": 2, "queues": []string{"help"},
	})
	for id, token := range map[string]string{"ann": ann, "sam": sam} {
		node.must(http.StatusCreated, http.MethodPut, "/v1/staff/"+id, admin, object{"name": id, "profile_id": "leads"})
		node.must(http.StatusOK, http.MethodPost, "/v1/staff/me/login", token, nil)
	}
	for range 12 {
		made := node.must(http.StatusCreated, http.MethodPost, "/v1/sessions", "", object{
			"queue_id": "help", "customer": object{"name": "Kim"}, "question": "?",
		})
		session := "/v1/sessions/" + made["session_id"].(string)
		node.must(http.StatusOK, http.MethodPost, session+"/accept", ann, nil)
		node.must(http.StatusOK, http.MethodPost, session+"/monitor", sam, nil)
		again := time.NewTicker(50 * time.Millisecond)
		<-again.C // in which whoever keeps the slots looks at it
		again.Stop()
		node.must(http.StatusOK, http.MethodPost, session+"/join", sam, nil)
		node.must(http.StatusOK, http.MethodPost, session+"/leave", sam, nil)
		node.must(http.StatusOK, http.MethodPost, session+"/conclude", ann, nil)
	}
	door, err := read(t, "esdb://"+address+"?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	nonsense := []eventstore.Event{{ID: uuid.New(), Type: "Nonsense", Data: []byte("{}"), Metadata: []byte("{}")}}
	if _, err := door.Append(t.Context(), "queue-help", eventstore.Any, nonsense); !errors.Is(err, eventstore.ErrInvalid) {
		t.Errorf("nonsense in a stream of the product: %v", err)
	}
	if _, err := door.Append(t.Context(), "order-1", eventstore.Any, nonsense); err != nil {
		t.Errorf("a stream of somebody else: %v", err)
	}
}

// read opens the log that a server offers to EventStoreDB's clients.
func read(t *testing.T, address string) (*eventstoredb.Store, error) {
	t.Helper()
	settings, err := eventstoredb.ParseSettings(address)
	if err != nil {
		t.Fatal(err)
	}
	store, err := eventstoredb.Open(t.Context(), settings)
	if err == nil {
		t.Cleanup(func() { _ = store.Close() })
	}
	return store, err
}

// freePort is an address on which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestClientsOfEventStoreDBReadTheEmbeddedLog(t *testing.T) {
	namesItsStore(t)
	address := freePort(t)
	s := startServer(t, "--eventstore-listen", address)
	admin := s.token("admin", "root")
	s.must(http.StatusCreated, http.MethodPut, "/v1/queues/help", admin, object{"name": "Help"})
	store, err := read(t, "esdb://"+address+"?tls=false")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range store.ReadStream(t.Context(), "queue-help", 0, eventstore.Forwards, 0) {
		if err != nil || e.Type != "QueueDefined" {
			t.Fatalf("%s %v", e.Type, err)
		}
		n++
	}
	if n != 1 {
		t.Fatalf("%d events", n)
	}
	e := []eventstore.Event{{ID: uuid.New(), Type: "QueueChanged", Data: []byte(`{}`), Metadata: []byte(`{}`)}}
	if _, err := store.Append(t.Context(), "queue-help", eventstore.Exactly(0), e); !errors.Is(err, eventstoredb.ErrRefused) {
		t.Errorf("writing through the door: %v", err)
	}
}

func TestTheLogIsOfferedBeyondTheMachineWithACertificateAndTokensOnly(t *testing.T) {
	namesItsStore(t)
	var out bytes.Buffer
	refused := []string{"serve", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--eventstore-listen", "0.0.0.0:0"}
	if err := run(t.Context(), refused, &out, &out); err == nil || !strings.Contains(err.Error(), "--eventstore-cert") {
		t.Errorf("without a certificate: %v", err)
	}
	_, cert, key := teststore.Certificate(t)
	address := freePort(t)
	s := startServer(t, "--eventstore-listen", address, "--eventstore-cert", cert, "--eventstore-key", key)
	s.must(http.StatusCreated, http.MethodPut, "/v1/queues/help", s.token("admin", "root"), object{"name": "Help"})
	for _, c := range []struct {
		who, password string
		admitted      bool
	}{
		{"an auditor", s.token("auditor", "iris"), true}, {"an administrator", s.token("admin", "root"), true},
		{"staff", s.token("staff", "ann"), false}, {"a customer", s.token("customer", uuid.NewString()), false},
		{"a stranger", "changeit", false},
	} {
		_, err := read(t, "esdb://any:"+c.password+"@"+address+"?tls=true&tlsCaFile="+cert)
		if admitted := err == nil; admitted != c.admitted || err != nil && !errors.Is(err, eventstoredb.ErrRefused) {
			t.Errorf("%s: %v", c.who, err)
		}
	}
	readings, _ := s.must(http.StatusOK, http.MethodGet, "/v1/audit/access?kind=log", s.token("auditor", "olga"), nil)["items"].([]any)
	var readers []any
	for _, r := range readings {
		readers = append(readers, r.(map[string]any)["reader_id"], r.(map[string]any)["format"])
	}
	if fmt.Sprint(readers) != "[root client iris client]" {
		t.Errorf("recorded are %v", readers)
	}
}

func TestHealthTellsWhetherAServerIsReady(t *testing.T) {
	namesItsStore(t)
	events := teststore.Serve(t, teststore.Embedded(t))
	s := startServer(t, "--eventstore", events.URL())
	s.becomes(http.StatusOK)
	var out bytes.Buffer
	health := []string{"health", "--url", s.url() + "/readyz"}
	if err := run(t.Context(), health, &out, &out); err != nil || out.String() != "ready\n" {
		t.Errorf("%v %q", err, out.String())
	}
	events.Stop()
	s.becomes(http.StatusServiceUnavailable)
	if err := run(t.Context(), health, &out, &out); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("without its event store: %v", err)
	}
	s.kill()
	if err := run(t.Context(), health, &out, &out); err == nil {
		t.Error("a server that is not there is ready")
	}
}
