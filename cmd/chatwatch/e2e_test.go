package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/internal/simulation"
)

// asProgram makes the test binary behave as the program, so that a test can kill it.
const asProgram = "CHATWATCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		main()
		return
	}
	os.Exit(m.Run())
}

// server is the program, serving in a process of its own.
type server struct {
	t    testing.TB
	dir  string
	args []string // of serve and of every other command, beside those of the data directory
	addr string
	cmd  *exec.Cmd
	log  *lockedBuffer
}

// lockedBuffer collects what a process writes while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newServer serves on the stores that the tests run on.
func newServer(t testing.TB) *server {
	t.Helper()
	var args []string
	if postgrestest.Wanted() {
		args = append(args, "--database", postgrestest.Database(t))
	}
	if teststore.OverWire() {
		args = append(args, "--eventstore", teststore.Serve(t, teststore.Embedded(t)).URL())
	}
	return startServer(t, args...)
}

// startServer serves on the embedded store, unless the arguments name another.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), args: args, addr: "127.0.0.1:0", log: &lockedBuffer{}}
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", tail(s.log.String(), 4000))
		}
	})
	return s
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// start starts the program, on the same address as before when it ran before, and waits until it serves.
func (s *server) start() {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{"serve", "--data-dir", s.dir, "--listen", s.addr, "--log-level", "warn", "--pprof-listen", os.Getenv("CHATWATCH_TEST_PPROF")}
	s.cmd = exec.Command(self, append(args, s.args...)...)
	s.cmd.Env = append(os.Environ(), asProgram+"=1")
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "listening on http://"); ok {
			s.addr = strings.TrimSpace(address)
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if strings.HasSuffix(s.addr, ":0") {
		s.t.Fatalf("the server did not say where it listens:\n%s", s.log.String())
	}
}

// kill ends the program as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends the program as an operator would.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the server did not end in order: %v", err)
	}
}

func (s *server) url() string { return "http://" + s.addr }

// command runs another command of the program on the server's data directory.
func (s *server) command(args ...string) (string, error) {
	s.t.Helper()
	var out, errs bytes.Buffer
	err := run(s.t.Context(), slices.Concat(args, []string{"--data-dir", s.dir}, s.args), &out, &errs)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, errs.String())
	}
	return out.String(), err
}

func (s *server) tokens() *auth.Tokens {
	s.t.Helper()
	secret, err := auth.OpenSecret(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	tokens, err := auth.NewTokens(secret, clock)
	if err != nil {
		s.t.Fatal(err)
	}
	return tokens
}

// conversations are a part of the given file, or some made up when there is none.
func conversations(t testing.TB, n int) []simulation.Conversation {
	t.Helper()
	if file := os.Getenv("CHATWATCH_TEST_CONVERSATIONS"); file != "" {
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			all, err := simulation.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return all[:min(n, len(all))]
		}
	}
	t.Log("CHATWATCH_TEST_CONVERSATIONS names no file: made-up conversations are played")
	made := make([]simulation.Conversation, min(n, 300))
	for i := range made {
		made[i] = simulation.Conversation{ID: fmt.Sprintf("made-%d", i), Queue: []string{"billing", "support"}[i%2]}
		for turn := range 4 + i%12 {
			role := []string{"customer", "agent"}[turn%2]
			made[i].Turns = append(made[i].Turns, simulation.Turn{Role: role, Text: fmt.Sprintf("turn %d of %d, “ünïcode” & <b>", turn, i)})
		}
	}
	return made
}

func (s *server) simulation(all []simulation.Conversation) simulation.Config {
	return simulation.Config{
		BaseURL: s.url(), Token: signer(s.tokens()), Conversations: all, Parallel: 32, RequestAs: "admin",
	}
}

func TestSimulatedConversationsAreReadBackAsTheyWerePlayed(t *testing.T) {
	s := newServer(t)
	all := conversations(t, 200)
	summary, err := simulation.Run(t.Context(), s.simulation(all))
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, c := range all {
		want += len(c.Turns)
	}
	if summary.Messages != want || summary.Verification == nil {
		t.Errorf("%d messages were played, want %d; verified: %v", summary.Messages, want, summary.Verification != nil)
	}
	s.stop()
	if out, err := s.command("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if out, err := s.command("rebuild", "--compare", "all"); err != nil {
		t.Errorf("the rebuilt read models differ: %v\n%s", err, out)
	}
}

func TestNothingAcknowledgedIsLostOrDoubledWhenTheServerIsKilled(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	config := s.simulation(conversations(t, 300))
	config.Rate = 500 // so that there is load at every kill
	done := make(chan error, 1)
	go func() {
		summary, err := simulation.Run(ctx, config)
		if summary.Verification != nil {
			t.Logf("%+v", summary.Verification.Problems)
		}
		done <- err
	}()
	for range 5 {
		select {
		case err := <-done:
			t.Fatalf("the simulation ended before the last kill: %v", err)
		case <-time.After(700 * time.Millisecond):
		}
		s.kill()
		s.start()
	}
	// The run reads everything back itself: each message once, in order, no private one with a customer, no slot in use.
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.stop()
	if out, err := s.command("verify"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

func TestTheDataDirectoryServesOneProcess(t *testing.T) {
	s := newServer(t)
	var out, errs bytes.Buffer
	err := run(t.Context(), []string{"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0"}, &out, &errs)
	if err == nil || !strings.Contains(err.Error(), filepath.Base(s.dir)) {
		t.Errorf("a second server on the same directory: %v", err)
	}
}

func TestALogThatIsShorterThanTheReadModelsIsRefused(t *testing.T) {
	s := startServer(t)
	config := s.simulation(conversations(t, 2))
	if _, err := simulation.Run(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	s.stop()
	for _, name := range []string{"events.db", "events.db-wal", "events.db-shm"} {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	serve := []string{"serve", "--data-dir", s.dir, "--listen", "127.0.0.1:0"}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := run(ctx, serve, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "ends at position 0") {
		t.Fatalf("a log that lost its events: %v", err)
	}
	for _, name := range []string{"read.db", "read.db-wal", "read.db-shm"} {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	s.addr = "127.0.0.1:0"
	s.start() // says where it listens: it serves
}
