package simulation

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script answers one attempt after the other: a status with a body and headers, or an error of the connection.
type script struct {
	answers []any
	seen    []sent
	began   time.Time
}

type sent struct {
	Path, Key, Auth, After, Body string
	At                           time.Duration
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	s.seen = append(s.seen, sent{
		req.Method + " " + req.URL.Path, req.Header.Get("Idempotency-Key"), req.Header.Get("Authorization"),
		req.Header.Get("Chatwatch-After"), string(body), time.Since(s.began),
	})
	switch answer := s.answers[len(s.seen)-1].(type) {
	case error:
		return nil, answer
	case *http.Response:
		return answer, nil
	}
	panic("neither an answer nor an error")
}

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// brokenBody is an answer whose connection breaks before its end.
func brokenBody() *http.Response {
	res := answer(201, "")
	res.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"seq`), failing{}))
	return res
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func scripted(answers ...any) (*client, *script) {
	s := &script{answers: answers, began: time.Now()}
	return &client{base: "http://localhost/v1", http: &http.Client{Transport: s}, retryFor: time.Minute, stats: newStats()}, s
}

func TestAWriteIsSentAgainUnderItsKeyUntilItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(
			io.ErrUnexpectedEOF, answer(503, `{"code":"unavailable"}`), brokenBody(),
			answer(429, `{"code":"too_many_requests"}`, "Retry-After", "7"), answer(201, `{}`, "Chatwatch-Position", "p1"),
		)
		position, err := c.do(t.Context(), write(kindMessage, "/sessions/1/messages", "token", []byte(`{"text":"x"}`)))
		if err != nil || position != "p1" {
			t.Fatal(position, err)
		}
		for _, attempt := range s.seen {
			first := s.seen[0]
			first.At, attempt.At = 0, 0
			if diff := cmp.Diff(first, attempt); diff != "" || first.Key == "" || first.Auth != "Bearer token" {
				t.Errorf("attempts differ: %s%+v", diff, first)
			}
		}
		if waited := s.seen[4].At - s.seen[3].At; waited != 7*time.Second {
			t.Errorf("waited %s, the server asked for 7s", waited)
		}
		want := map[string]int{"connection": 2, "unavailable": 1, "too_many_requests": 1}
		if diff := cmp.Diff(want, c.stats.retriesByCode()); diff != "" {
			t.Error(diff)
		}
		if l := c.stats.latency[kindMessage].latency(); l.Count != 1 || l.Max < 7_000_000 {
			t.Errorf("the latency leaves out the waiting: %+v", l)
		}
	})
}

func TestTwoWritesHaveTwoKeysAndAReadHasNone(t *testing.T) {
	c, s := scripted(answer(200, ""), answer(200, ""), answer(200, ""))
	for _, call := range []call{
		write(kindLeave, "/a", "", nil), write(kindLeave, "/a", "", nil),
		{kind: kindLook, method: http.MethodGet, path: "/a", after: "p1"},
	} {
		if _, err := c.do(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	if s.seen[0].Key == s.seen[1].Key || s.seen[2].Key != "" || s.seen[2].After != "p1" || s.seen[0].Auth != "" {
		t.Errorf("%+v", s.seen)
	}
}

func TestARefusalIsNotSentAgain(t *testing.T) {
	c, s := scripted(answer(409, `{"code":"session_ended"}`))
	_, err := c.do(t.Context(), write(kindMessage, "/a", "secret-token", nil))
	if !refused(err, "session_ended") || len(s.seen) != 1 || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v after %d attempts", err, len(s.seen))
	}
}

func TestAServerThatStaysAwayIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make([]any, 1000)
		for i := range answers {
			answers[i] = errors.New("connection refused")
		}
		c, s := scripted(answers...)
		_, err := c.do(t.Context(), write(kindMessage, "/a", "", nil))
		if !errors.Is(err, errUnreachable) || time.Since(s.began) > time.Minute || time.Since(s.began) < 58*time.Second {
			t.Errorf("%v after %s", err, time.Since(s.began))
		}
		if n := len(s.seen); n < 60 || n > 130 {
			t.Errorf("%d attempts in a minute", n)
		}
	})
}

func TestWaitingEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		c, s := scripted(answer(429, "", "Retry-After", "30"))
		go func() {
			_ = pause(ctx, time.Second)
			cancel(stop)
		}()
		if _, err := c.do(ctx, write(kindMessage, "/a", "", nil)); !errors.Is(err, stop) || time.Since(s.began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(s.began))
		}
	})
}

func TestRefusalsAreNamedByTheirCodeOrTheirStatus(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		res  *http.Response
		body string
		want Refusal
	}{
		{answer(409, ""), `{"code":"not_joined"}`, Refusal{409, "not_joined", 0}},
		{answer(500, ""), `<html>`, Refusal{500, "http_500", 0}},
		{answer(429, "", "Retry-After", "2"), `{}`, Refusal{429, "http_429", 2 * time.Second}},
		{answer(503, "", "Retry-After", now.Add(time.Minute).Format(http.TimeFormat)), ``, Refusal{503, "http_503", time.Minute}},
		{answer(503, "", "Retry-After", "-1"), ``, Refusal{503, "http_503", 0}},
	} {
		if got := *refusalOf(c.res, []byte(c.body), now); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	for status, want := range map[int]bool{
		429: true, 502: true, 503: true, 504: true, 400: false, 401: false, 403: false, 404: false, 409: false, 500: false,
	} {
		if got := passing(&Refusal{Status: status}); got != want {
			t.Errorf("%d: %t", status, got)
		}
	}
	if !passing(io.EOF) {
		t.Error("a lost connection may come back")
	}
}

func TestPausesGrowToASecond(t *testing.T) {
	for attempt := range 200 {
		longest := min(firstPause<<min(attempt, 10), longestPause)
		if d := pauseBefore(attempt, io.EOF); d < longest/2 || d > longest {
			t.Errorf("attempt %d: %s", attempt, d)
		}
	}
}
