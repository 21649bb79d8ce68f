package projections_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// crashDatabase tells a copy of this test program to be the process that is killed.
const crashDatabase = "CHATWATCH_TEST_CRASH_DATABASE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashDatabase); path != "" {
		if err := project(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func crashLog() *projectiontest.Log {
	log := history(7, 5000)
	log.Step = 5
	return log
}

// project folds all of the log, in small transactions.
func project(path string) error {
	ctx := context.Background()
	db, err := sqlitedb.Open(ctx, path, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	log := crashLog()
	e, err := projections.NewEngine(db, telling{log}, catalogue.All(), projections.Options{MaxBatch: 1, Alone: true})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		head, _ := log.Head(ctx)
		_ = e.WaitFor(ctx, head)
		cancel()
	}()
	if err := e.Run(ctx); err != context.Canceled {
		return err
	}
	return nil
}

// telling is a log that writes a line for each batch that is read, so that the killer knows how far the process is.
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

// killed runs a process and kills it after some of its batches; false when it has come to the end before.
func killed(t *testing.T, path string, after int) bool {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDatabase+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	batches := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if batches++; batches == after {
			_ = child.Process.Kill()
		}
	}
	err = child.Wait()
	if err != nil && batches < after {
		t.Fatal(err)
	}
	return err != nil
}

func TestAKilledProcessLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "read.db")
	kills := 0
	for killed(t, path, 2+rand.IntN(50)) {
		if kills++; kills > 200 {
			t.Fatal("the log is never done")
		}
	}
	t.Logf("killed %d times", kills)
	db, err := sqlitedb.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	projectiontest.Equal(t, clean(t, crashLog()), projectiontest.Dump(t, db, catalogue.All()...))
}
