package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore"
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
	log := history(7, 15000)
	log.Step = 5
	return log
}

// project folds all of the log, in small transactions.
func project(path string) error {
	ctx := context.Background()
	db, err := readstore.Open(ctx, path, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	log := crashLog()
	e, err := projections.NewEngine(db, log, catalogue.All(), projections.Options{MaxBatch: 1})
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

func TestAKilledProcessLeavesNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "read.db")
	kills := 0
	for {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDatabase+"="+path)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		killer := time.AfterFunc(80*time.Millisecond+rand.N(120*time.Millisecond), func() { _ = child.Process.Kill() })
		err := child.Wait()
		if killer.Stop() || err == nil {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if kills++; kills > 100 {
			t.Fatal("the log is never done")
		}
	}
	t.Logf("killed %d times", kills)
	db, err := readstore.Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	projectiontest.Equal(t, clean(t, crashLog()), projectiontest.Dump(t, db, catalogue.All()...))
}
