package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
)

// sharedSite is several nodes over one log and one PostgreSQL.
type sharedSite struct {
	t        *testing.T
	events   *teststore.Server
	database string
	nodes    []*server
}

// newSharedSite starts nodes one after the other, so that the first leads.
func newSharedSite(t *testing.T, database string, nodes int) *sharedSite {
	t.Helper()
	namesItsStore(t)
	s := &sharedSite{t: t, events: teststore.Serve(t, teststore.Embedded(t)), database: database}
	for range nodes {
		s.add()
	}
	return s
}

// add starts one more node, and waits until it is ready.
func (s *sharedSite) add() *server {
	s.t.Helper()
	args := []string{"--eventstore", s.events.URL(), "--database", s.database}
	if len(s.nodes) > 0 {
		args = append(args, "--key-file", filepath.Join(s.nodes[0].dir, "secret.key"))
	}
	node := startServer(s.t, args...)
	s.nodes = append(s.nodes, node)
	node.becomes(http.StatusOK)
	return node
}

// verified stops the nodes and checks that the log is whole, and that the read models are what it comes to.
func (s *sharedSite) verified() {
	s.t.Helper()
	for _, node := range s.nodes {
		if node.cmd.ProcessState == nil {
			node.stop()
		}
	}
	for _, args := range [][]string{{"verify"}, {"rebuild", "--compare", "all"}} {
		if out, err := s.nodes[0].command(args...); err != nil {
			s.t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// readModels are the details of the read models that /readyz tells.
func (s *server) readModels() object {
	s.t.Helper()
	_, answer := s.ask(http.MethodGet, "/readyz", "", nil)
	components, _ := answer["components"].([]any)
	for _, c := range components {
		if part := c.(map[string]any); part["name"] == "read_models" {
			details, _ := part["details"].(map[string]any)
			return details
		}
	}
	return nil
}

func (s *server) leads() bool { return s.readModels()["leading"] == true }

// eventually waits until something is so.
func eventually(t testing.TB, patience time.Duration, what string, so func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); !so(); {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// exchange sends a request with headers and gives the answer with its members.
func (s *server) exchange(method, path, token string, body object, headers ...string) (*http.Response, object) {
	s.t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url()+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer := object{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response, answer
}

// metrics are what Prometheus gets.
func (s *server) metrics() string {
	s.t.Helper()
	response, err := http.Get(s.url() + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// queue defines or changes a queue through a node.
func (s *sharedSite) queue(node *server, id, name string) {
	s.t.Helper()
	status, answer := node.ask(http.MethodPut, "/v1/queues/"+id, s.nodes[0].token("admin", "root"), object{"name": name})
	if status != http.StatusCreated && status != http.StatusOK {
		s.t.Fatalf("queue %s: %d %v", id, status, answer)
	}
}

// statement runs SQL as somebody who has the database.
func statement(t testing.TB, database, sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// told is the one value of a query, as text.
func told(t testing.TB, database, sql string, args ...any) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var value any
	if err := c.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return fmt.Sprint(value)
}

// elsewhere is the address with something in the place of a part of it.
func elsewhere(t testing.TB, database string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

// onDatabase gives a database that nobody has used.
func onDatabase(t testing.TB) string { return postgrestest.Database(t) }
