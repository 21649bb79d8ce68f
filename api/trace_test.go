package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/chatwatch/chatwatch/api"
)

// journal is a log that several goroutines write.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func TestTheLogHoldsNothingThatSomebodyWroteOrIsCalled(t *testing.T) {
	var log journal
	s := peopled(t, func(c *api.Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	c := s.engaged()
	s.say(c, c.customer, "public", "SECRET-text").is(201)
	s.say(c, c.customer, "private", "SECRET-text").is(403)
	s.get("/sessions?state=SECRET", s.staff("ann")).is(400)
	s.get("/queues/SECRET", s.staff("ann")).is(404)
	s.get("/SECRET", c.customer).is(404)
	s.post(c.path+"/messages", c.customer, "SECRET").is(400)
	s.open(c.path+"/live", c.customer).until("PublicMessageSent")
	got := log.String()
	for _, secret := range []string{"SECRET", "Carl", "carl@example.com", "Ann", "parcel", c.customer, c.id} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is in the log:\n%s", secret, got)
		}
	}
	for _, told := range []string{`"method":"POST"`, `"route":"/sessions/{id}/messages"`, `"status":201`, `"request_id":"`} {
		if !strings.Contains(got, told) {
			t.Errorf("%s is not in the log:\n%s", told, got)
		}
	}
}

func TestAPanicIsAProblemWithoutDetails(t *testing.T) {
	s := bare(t, func(c *api.Config) { c.Components = []api.Component{{Name: "x", Check: explode}} })
	if a := s.get("~/readyz", "").problem(500, "internal"); contains(a, "SECRET") {
		t.Errorf("%s", a.raw)
	}
	s.get("~/healthz", "").is(200)
}

func explode(context.Context) (map[string]any, error) { panic("SECRET") }

func TestAProgramThatIsNotCompleteIsRefused(t *testing.T) {
	if _, err := api.New(api.Config{}); err == nil || !strings.Contains(err.Error(), "Service") {
		t.Errorf("got %v", err)
	}
}
