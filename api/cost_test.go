package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// instant acknowledges every append without storing it.
type instant struct {
	eventstore.Store
	position atomic.Uint64
}

func (s *instant) Append(_ context.Context, _ string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	n := uint64(len(events))
	return eventstore.Appended{Revision: uint64(expected + eventstore.Expected(n)), Position: eventstore.Position(s.position.Add(n))}, nil
}

// BenchmarkMessageWithoutStoring is what a message costs outside the log: HTTP, token, decision, encoding.
func BenchmarkMessageWithoutStoring(b *testing.B) {
	s, chats := crowd(b, 1)
	store := &instant{Store: s.store}
	service, err := command.New(command.Config{Store: store, Log: s.quiet()})
	must(b, err)
	c := s.config
	c.Store, c.Service, c.Metrics = store, service, nil
	server, err := api.New(c)
	must(b, err)
	measure(b, server, "/v1"+chats[0].path+"/messages", chats[0].customer, http.StatusCreated)
}

func measure(b *testing.B, h http.Handler, path, token string, status int) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(benchMessage))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			b.Fatal(w.Body.String())
		}
	}
}

// The two below read and answer the same message: through huma's typed handlers, and through the operations of this package
// up to where the domain refuses it for a reason that costs nothing.

type humaMessage struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key"`
	If   string `header:"If-Match"`
	Body struct {
		Visibility string `json:"visibility" enum:"public,private"`
		Text       string `json:"text"`
	}
}

func BenchmarkBodyThroughHuma(b *testing.B) {
	e := echo.New()
	config := huma.DefaultConfig("x", "1")
	config.CreateHooks = nil
	huma.Register(humaecho.New(e, config), huma.Operation{Method: http.MethodPost, Path: "/v1/sessions/{id}/messages", OperationID: "x"},
		func(context.Context, *humaMessage) (*struct{}, error) { return nil, huma.Error409Conflict("no") })
	measure(b, e, "/v1/sessions/0192b5a0-0000-7000-8000-000000000000/messages", "x", http.StatusConflict)
}

func BenchmarkBodyThroughOperations(b *testing.B) {
	s, chats := crowd(b, 1)
	s.post(chats[0].path+"/conclude", s.staff("ann"), nil).is(200)
	measure(b, s.api, "/v1"+chats[0].path+"/messages", s.token(domain.RoleCustomer, chats[0].id), http.StatusConflict)
}
