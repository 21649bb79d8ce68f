package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
)

// crashPath names, for a process that this test starts, the file that it appends to until it is killed.
const crashPath = "CHATWATCH_TEST_CRASH_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		fmt.Fprintln(os.Stderr, appendForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForever appends from several goroutines and prints the id of what was acknowledged.
func appendForever(path string) error {
	s, err := embedded.Open(context.Background(), path)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	failed := make(chan error)
	for i := range 12 {
		go func() {
			for {
				events := make([]eventstore.Event, 1+i%3)
				for n := range events {
					events[n] = event()
				}
				if _, err := s.Append(context.Background(), fmt.Sprintf("session-%d", i), eventstore.Any, events); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				for _, e := range events {
					fmt.Println(e.ID)
				}
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

func TestKilledProcessLosesNothingThatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	acknowledged := map[uuid.UUID]bool{}
	for round := range 5 {
		killAfter(t, path, 200+rand.IntN(1500), acknowledged)
		checkTorn(t, path)
		s := open(t, path) // the lock ended with the process
		stored := checkDense(t, s)
		for id := range acknowledged {
			if stored[id] != 1 {
				t.Fatalf("round %d: an acknowledged event is there %d times", round, stored[id])
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter runs a process that appends to path, and kills it after some acknowledgements, all of which it notes.
func killAfter(t *testing.T, path string, after int, acknowledged map[uuid.UUID]bool) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	n := 0
	for ; lines.Scan(); n++ {
		if id, err := uuid.Parse(lines.Text()); err == nil {
			acknowledged[id] = true
		}
		if n == after {
			if _, err := embedded.Open(context.Background(), path); !errors.Is(err, embedded.ErrInUse) {
				t.Errorf("open beside another process: %v", err)
			}
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait()
	if n <= after {
		t.Fatalf("the process ended after %d acknowledgements", n)
	}
}

// checkDense demands dense positions and revisions, and counts each event.
func checkDense(t *testing.T, s eventstore.Store) map[uuid.UUID]int {
	t.Helper()
	stored := map[uuid.UUID]int{}
	revisions := map[string]uint64{}
	next := eventstore.Position(1)
	for e, err := range s.ReadAll(context.Background(), eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Position != next || e.Revision != revisions[e.Stream] {
			t.Fatalf("%s revision %d stands at %d, want revision %d at %d", e.Stream, e.Revision, e.Position, revisions[e.Stream], next)
		}
		stored[e.ID]++
		revisions[e.Stream]++
		next++
	}
	return stored
}

// checkTorn opens copies of a killed process's files whose WAL has been cut somewhere, as a lost write would.
func checkTorn(t *testing.T, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		torn := filepath.Join(t.TempDir(), "torn.db")
		cut := wal[:rand.IntN(len(wal)+1)]
		if err := errors.Join(os.WriteFile(torn, file, 0o600), os.WriteFile(torn+"-wal", cut, 0o600)); err != nil {
			t.Fatal(err)
		}
		s := open(t, torn)
		checkDense(t, s)
		if _, err := s.Append(context.Background(), "session-0", eventstore.Any, []eventstore.Event{event()}); err != nil {
			t.Fatal(err)
		}
		checkDense(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
