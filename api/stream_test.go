package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// event of a live stream.
type event struct{ id, name, data string }

// stream is an open live stream.
type stream struct {
	t      testing.TB
	events chan event // closed when the stream ends
	cancel context.CancelFunc
}

const patience = 10 * time.Second

func (s *site) open(path, token string, headers ...header) *stream {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http.URL+"/v1"+path, nil)
	must(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	for _, h := range headers {
		r.Header.Set(h.name, h.value)
	}
	response, err := http.DefaultClient.Do(r)
	must(s.t, err)
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("the stream did not open: %d", response.StatusCode)
	}
	out := &stream{s.t, make(chan event, 1000), cancel}
	go func() {
		defer response.Body.Close()
		defer close(out.events)
		var e event
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					out.events <- e
				}
				e = event{}
			}
		}
	}()
	return out
}

// next waits for an event.
func (s *stream) next() event {
	s.t.Helper()
	select {
	case e, open := <-s.events:
		if !open {
			s.t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(patience):
		s.t.Fatal("nothing came")
	}
	return event{}
}

// until takes events up to one of that type.
func (s *stream) until(name string) []event {
	s.t.Helper()
	var out []event
	for {
		out = append(out, s.next())
		if out[len(out)-1].name == name {
			return out
		}
	}
}

// rest takes what comes before the end of the stream, which must be near.
func (s *stream) rest() []event {
	s.t.Helper()
	var out []event
	deadline := time.After(patience)
	for {
		select {
		case e, open := <-s.events:
			if !open {
				return out
			}
			out = append(out, e)
		case <-deadline:
			s.t.Fatalf("the stream goes on after %v", out)
		}
	}
}

func names(events []event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.name)
	}
	return strings.Join(out, " ")
}

func (s *stream) untilCount(n int) []event {
	s.t.Helper()
	out := make([]event, 0, n)
	for range n {
		out = append(out, s.next())
	}
	return out
}
