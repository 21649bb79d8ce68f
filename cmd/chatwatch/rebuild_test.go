package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/simulation"
)

// poll reads reports over and over until the context ends, and tells of every answer that is not one.
func (s *server) poll(ctx context.Context, admin string) (answers int) {
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	paths := []string{"/v1/reports/queue-snapshot", "/v1/sessions?limit=5", "/v1/queues", "/v1/staff"}
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return answers
		}
		for _, path := range paths[:1+answers%len(paths)] {
			if status, answer := s.ask(http.MethodGet, path, admin, nil); status != http.StatusOK {
				s.t.Errorf("%s: %d %v", path, status, answer)
			}
		}
		answers++
	}
}

// rebuiltWhileServing rebuilds everything twice from the command line, while conversations are played and reports are read.
func rebuiltWhileServing(t *testing.T, nodes ...*server) {
	t.Helper()
	first := nodes[0]
	admin := first.token("admin", "root")
	config := first.simulation(conversations(t, 30))
	config.Rate, config.Parallel = 150, 16
	played := make(chan error, 1)
	go func() {
		_, err := simulation.Run(t.Context(), config)
		played <- err
	}()
	eventually(t, 10*time.Second, "traffic", func() bool { position, _ := first.readModels()["position"].(float64); return position > 100 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	for _, node := range nodes {
		readers.Go(func() {
			if answers := node.poll(ctx, admin); answers == 0 {
				t.Error("nothing was read")
			}
		})
	}
	for _, what := range []string{"all", "sessions", "dim_queue", "all"} {
		out, err := first.command("rebuild", what)
		if err != nil || !strings.Contains(out, "rebuilt and swapped in: ") {
			t.Errorf("rebuild %s: %v\n%s", what, err, out)
		}
	}
	if err := <-played; err != nil {
		t.Error(err)
	}
	cancel()
	readers.Wait()
	for _, node := range nodes {
		node.becomes(http.StatusOK)
	}
}

func TestARebuildOnPostgreSQLIsNotNoticedByReaders(t *testing.T) {
	site := newSharedSite(t, onDatabase(t), 2)
	rebuiltWhileServing(t, site.nodes...)
	site.verified()
}

func TestARebuildInTheDataDirectoryIsNotNoticedByReaders(t *testing.T) {
	namesItsStore(t)
	s := startServer(t)
	s.becomes(http.StatusOK)
	rebuiltWhileServing(t, s)
	s.stop()
	if out, err := s.command("rebuild", "--compare", "all"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
