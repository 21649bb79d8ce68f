package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/internal/readstore"
	accesses "github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/snapshot"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// away is a database that cannot be reached.
type away struct{ readstore.DB }

func (away) Query(context.Context, string, ...any) (readstore.Rows, error) {
	return nil, readstore.ErrUnavailable
}

func (away) View(context.Context, func(readstore.Queryer) error) error {
	return readstore.ErrUnavailable
}

func readingNothing(c *api.Config) {
	c.Transcripts, c.Directory, c.Staffing = transcript.NewReader(away{}), directory.NewReader(away{}), staffing.NewReader(away{})
	c.Sessions, c.Snapshots, c.Accesses = sessions.NewReader(away{}), snapshot.NewReader(away{}), accesses.NewReader(away{})
}

func TestASessionIsShownWhenTheReadDatabaseIsAway(t *testing.T) {
	s := peopled(t, readingNothing)
	c := s.engaged()
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	for _, token := range []string{s.staff("sue"), s.auditor(), s.staff("ann"), c.customer} {
		s.get(c.path, token).is(200)
	}
}

func TestReportsAreUnavailableAndWritesGoOnWhenTheReadDatabaseIsAway(t *testing.T) {
	s := peopled(t, readingNothing) // logging in and configuring goes on
	c := s.engaged()
	for _, path := range []string{
		"/queues", "/profiles", "/staff", "/sessions", c.path + "/transcript", "/reports/queue-snapshot",
		"/reports/queue-snapshot?at=2026-01-01T00:00:00Z", "/audit/supervision", "/audit/access",
	} {
		token := s.admin()
		if strings.HasPrefix(path, "/audit") {
			token = s.auditor()
		}
		a := s.get(path, token).problem(http.StatusServiceUnavailable, "unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: there is no Retry-After", path)
		}
	}
	s.say(c, c.customer, "public", "hello").is(201)
	s.post(c.path+"/monitor", s.staff("sue"), nil).is(200)
	s.say(c, s.staff("sue"), "private", "well done").is(201)
	s.post(c.path+"/join", s.staff("sue"), nil).is(200)
	s.post(c.path+"/leave", s.staff("sue"), nil).is(200)
	s.post(c.path+"/conclude", s.staff("ann"), nil).is(200)
	for _, path := range []string{c.path, "/staff/me", "/queues/help"} {
		s.get(path, s.staff("ann")).is(200)
	}
	s.post("/staff/me/logout", s.staff("ann"), nil).is(200)
}

// silent is a database that takes every question and answers none.
type silent struct{ readstore.DB }

func (silent) Query(ctx context.Context, _ string, _ ...any) (readstore.Rows, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAReadDoesNotWaitForEverForADatabaseThatDoesNotAnswer(t *testing.T) {
	s := peopled(t, func(c *api.Config) {
		c.Directory, c.Sessions = directory.NewReader(silent{}), sessions.NewReader(silent{})
		c.Limits.ReadTimeout = 50 * time.Millisecond
	})
	for _, path := range []string{"/queues", "/sessions"} {
		s.get(path, s.admin()).problem(http.StatusServiceUnavailable, "unavailable")
	}
}
