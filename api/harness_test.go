package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/live"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	accesses "github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/snapshot"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// site is a server on real stores, with a few people and queues.
type site struct {
	t       testing.TB
	api     *api.Server
	http    *httptest.Server
	service *command.Service
	store   eventstore.Store
	tokens  *auth.Tokens
	engine  *projections.Engine
	db      readstore.DB
	config  api.Config
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bare makes a server without anybody in it.
func bare(t testing.TB, change ...func(*api.Config)) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	quiet := slog.New(slog.DiscardHandler)
	store := teststore.Open(t)
	db := openReads(t)
	engine, err := projections.NewEngine(db, projections.FromStore(store, 1000, quiet), group(), projections.Options{})
	must(t, err)
	service, err := command.New(command.Config{Store: store, Log: quiet, Shared: teststore.OverWire()})
	must(t, err)
	hub, err := live.Open(ctx, store, quiet)
	must(t, err)
	secret := auth.NewSecret()
	tokens, err := auth.NewTokens(secret, time.Now)
	must(t, err)
	seals, err := auth.NewSeals(secret)
	must(t, err)
	c := api.Config{
		Service: service, Store: store, Tokens: tokens, Seals: seals, Hub: hub, Clock: time.Now, Log: quiet,
		Progress: engine, Transcripts: transcript.NewReader(db), Directory: directory.NewReader(db), Staffing: staffing.NewReader(db),
		Sessions: sessions.NewReader(db), Snapshots: snapshot.NewReader(db), Accesses: accesses.NewReader(db),
	}
	for _, f := range change {
		f(&c)
	}
	server, err := api.New(c)
	must(t, err)
	s := &site{t: t, api: server, http: httptest.NewServer(server), service: service, store: store, tokens: tokens, engine: engine, db: db, config: c}
	ended := make(chan struct{}, 2)
	go func() { _ = engine.Run(ctx); ended <- struct{}{} }()
	go func() { _ = hub.Run(ctx); ended <- struct{}{} }()
	t.Cleanup(func() {
		server.Close()
		s.http.Close()
		cancel()
		<-ended
		<-ended
		_ = db.Close()
	})
	return s
}

// openReads opens the read database that the tests run on.
func openReads(t testing.TB) readstore.DB {
	t.Helper()
	if postgrestest.Wanted() {
		return projectiontest.ReusePostgres(t)
	}
	return projectiontest.Open(t)
}

func group() []projections.Projection {
	return []projections.Projection{transcript.New(), directory.New(), staffing.New(), sessions.New(), accesses.New()}
}

// token signs for somebody. The subject of a customer is their session.
func (s *site) token(role domain.Role, subject string) string {
	s.t.Helper()
	i := auth.Identity{Subject: subject, Role: role, Issued: time.Now(), Expires: time.Now().Add(time.Hour)}
	if role == domain.RoleCustomer {
		i.Session = domain.SessionID(subject)
	}
	signed, err := s.tokens.Sign(i)
	must(s.t, err)
	return signed
}

func (s *site) admin() string          { return s.token(domain.RoleAdmin, "root") }
func (s *site) auditor() string        { return s.token(domain.RoleAuditor, "iris") }
func (s *site) staff(id string) string { return s.token(domain.RoleStaff, id) }

type header struct{ name, value string }

// ask sends a request with a JSON body, or the very text when body is a string.
func (s *site) ask(method, path, token string, body any, headers ...header) answer {
	s.t.Helper()
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		payload = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		must(s.t, err)
		payload = bytes.NewReader(data)
	}
	if strings.HasPrefix(path, "~") {
		path = path[1:]
	} else {
		path = "/v1" + path
	}
	r, err := http.NewRequest(method, s.http.URL+path, payload)
	must(s.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		r.Header.Set(h.name, h.value)
	}
	response, err := http.DefaultClient.Do(r)
	must(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	must(s.t, err)
	return answer{s.t, response.StatusCode, response.Header, raw}
}

func (s *site) get(path, token string, headers ...header) answer {
	s.t.Helper()
	return s.ask(http.MethodGet, path, token, nil, headers...)
}

func (s *site) put(path, token string, body any, headers ...header) answer {
	s.t.Helper()
	return s.ask(http.MethodPut, path, token, body, headers...)
}

func (s *site) post(path, token string, body any, headers ...header) answer {
	s.t.Helper()
	return s.ask(http.MethodPost, path, token, body, headers...)
}

type object map[string]any

// peopled is a site with two queues, an agent (ann), a second agent (bob), a supervisor who also chats (sue), a second one
// (sam), and one of another queue (olga). All are logged in.
func peopled(t testing.TB, change ...func(*api.Config)) *site {
	t.Helper()
	s := bare(t, change...)
	admin := s.admin()
	s.put("/queues/help", admin, object{"name": "Help"}).is(201)
	s.put("/queues/sales", admin, object{"name": "Sales"}).is(201)
	s.put("/profiles/agent", admin, object{"chat": true, "max_sessions": 3, "queues": []string{"help"}}).is(201)
	s.put("/profiles/lead", admin, object{"chat": true, "supervisor": true, "monitor": true, "max_sessions": 2, "queues": []string{"help"}}).is(201)
	s.put("/profiles/other", admin, object{"chat": true, "supervisor": true, "monitor": true, "max_sessions": 2, "queues": []string{"sales"}}).is(201)
	for id, profile := range map[string]string{"ann": "agent", "bob": "agent", "sue": "lead", "sam": "lead", "olga": "other"} {
		s.put("/staff/"+id, admin, object{"name": strings.ToUpper(id[:1]) + id[1:], "profile_id": profile}).is(201)
		s.post("/staff/me/login", s.staff(id), nil).is(200)
	}
	return s
}

// chat is a session with the tokens of those in it.
type chat struct {
	id, customer string
	path         string
}

// requested makes a session that waits.
func (s *site) requested(queue string) chat {
	s.t.Helper()
	a := s.post("/sessions", "", object{
		"queue_id": queue, "customer": object{"name": "Carl", "email": "carl@example.com"}, "question": "Where is my parcel?",
	}).is(201)
	id := a.text("session_id")
	return chat{id, a.text("customer_token"), "/sessions/" + id}
}

// engaged makes a session that ann serves.
func (s *site) engaged() chat {
	s.t.Helper()
	c := s.requested("help")
	s.post(c.path+"/accept", s.staff("ann"), nil).is(200)
	return c
}

func (s *site) say(c chat, token, visibility, text string) answer {
	s.t.Helper()
	return s.post(c.path+"/messages", token, object{"visibility": visibility, "text": text})
}

// offer asks an agent to take a session, as the process that routes does.
func offer(s *site, c chat, staff string) {
	s.t.Helper()
	r := command.Request{ID: uuid.New(), Actor: domain.System, At: time.Now().UTC()}
	out, err := s.service.Offer(context.Background(), r, domain.SessionID(c.id), domain.StaffID(staff))
	must(s.t, err)
	must(s.t, s.engine.WaitFor(s.t.Context(), out.Position)) // it was not asked for over HTTP, so nobody waits for it
}

func broken(context.Context) (map[string]any, error) { return nil, errors.New("secret") }

func fine(context.Context) (map[string]any, error) { return map[string]any{"lag": 7}, nil }

// recheck looks at a watcher again, as the process that keeps the slots does after a change of profile.
func recheck(s *site, c chat, staff string) {
	s.t.Helper()
	r := command.Request{ID: uuid.New(), Actor: domain.System, At: time.Now().UTC()}
	must(s.t, s.service.Recheck(context.Background(), r, domain.SessionID(c.id), domain.StaffID(staff)))
}

func (s *site) quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
