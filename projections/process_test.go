package projections_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgres"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// What tells a copy of this test program that it is to be a process of its own: in which role, and on which database.
const (
	childRole  = "CHATWATCH_TEST_CHILD_ROLE"
	childPlace = "CHATWATCH_TEST_CHILD_PLACE"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := play(role, place(os.Getenv(childPlace))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// place is the address of a database that several processes open: a file, or a URL.
type place string

// places runs a test, beside others, on an empty database of each kind.
func places(t *testing.T, test func(t *testing.T, p place)) {
	t.Parallel()
	for name, p := range map[string]func(t *testing.T) place{
		"SQLite":     func(t *testing.T) place { return place(filepath.Join(t.TempDir(), "read.db")) },
		"PostgreSQL": func(t *testing.T) place { return place(postgrestest.Database(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p(t))
		})
	}
}

func (p place) isPostgres() bool { return strings.HasPrefix(string(p), "postgres") }

// connect opens the database as a process of its own would.
func (p place) connect(ctx context.Context) (readstore.DB, error) {
	var db readstore.DB
	var err error
	if p.isPostgres() {
		db, err = postgres.Open(ctx, string(p), postgres.Options{Name: "test " + uuid.NewString()})
	} else {
		db, err = sqlitedb.Open(ctx, string(p), slog.New(slog.DiscardHandler))
	}
	return db, err
}

// open opens the database for a test, and migrates it.
func (p place) open(t *testing.T) readstore.DB {
	t.Helper()
	db, err := p.connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// childLog is the log of every child: the same each time, in batches of a few events.
func childLog() *projectiontest.Log {
	log := history(7, 1500)
	log.Step = 4
	return log
}

// play is what a child does. It tells each batch that it reads by a line, and ends when its input does.
func play(role string, p place) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	db, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	log := telling{childLog()}
	options := projections.Options{MaxBatch: 1}
	switch role {
	case "rebuild":
		return projections.Rebuild(ctx, db, log, catalogue.All(), projections.Rebuilding{Options: options})
	case "lease":
		return projections.NewLease(db, "lease", options).Run(ctx, func(ctx context.Context) error {
			fmt.Println("held")
			<-ctx.Done()
			fmt.Println("lost")
			return ctx.Err()
		})
	case "fold alone":
		options.Alone = true
	case "stop between transactions":
		db = stopping{db, func() {}, stopOnce(20)}
	case "stop in a transaction":
		db = stopping{db, stopOnce(20), func() {}}
	}
	e, err := projections.NewEngine(db, log, catalogue.All(), options)
	if err != nil {
		return err
	}
	if strings.HasPrefix(role, "fold") {
		go func() {
			head, _ := log.Head(ctx)
			_ = e.WaitFor(ctx, head)
			cancel()
		}()
	}
	if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// stopOnce stops the process, as a signal from outside would, when it is called for the nth time.
func stopOnce(nth int32) func() {
	var calls atomic.Int32
	return func() {
		if calls.Add(1) == nth {
			fmt.Println("stopped")
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			<-time.After(100 * time.Millisecond) // it takes effect a moment later
		}
	}
}

// stopping is a database that does something while a transaction has sent its rows and not committed them, and after it.
type stopping struct {
	readstore.DB
	during, after func()
}

func (s stopping) Write(ctx context.Context, fn func(readstore.Tx) error) error {
	defer s.after()
	return s.DB.Write(ctx, func(tx readstore.Tx) error {
		err := errors.Join(fn(tx), tx.Flush())
		s.during()
		return err
	})
}

// telling is a log that writes a line for each batch that is read, so that others know how far the process is.
type telling struct{ projections.Log }

func (l telling) Follow(ctx context.Context, after eventstore.Position) (projections.Source, error) {
	source, err := l.Log.Follow(ctx, after)
	return tellingSource{source}, err
}

type tellingSource struct{ projections.Source }

func (s tellingSource) Next(ctx context.Context) (projections.Batch, error) {
	b, err := s.Source.Next(ctx)
	fmt.Println("batch")
	return b, err
}

// child is a process that runs.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
	input io.Closer
}

func start(t *testing.T, role string, p place) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), childRole+"="+role, childPlace+"="+string(p), "GORACE=atexit_sleep_ms=0")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.input, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(out)
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// until reads what the child says until it has said something for the nth time; false when it has ended before.
func (c *child) until(said string, nth int) bool {
	for c.lines.Scan() {
		if c.lines.Text() == said {
			if nth--; nth == 0 {
				return true
			}
		}
	}
	return false
}

// kill ends the child as a failing machine would.
func (c *child) kill() {
	_ = c.Process.Kill()
	c.end()
}

// end reads the rest of what the child says and waits for it.
func (c *child) end() error {
	for c.lines.Scan() {
	}
	return c.Wait()
}
