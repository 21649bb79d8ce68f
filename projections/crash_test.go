package projections_test

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

func TestAKilledProcessLeavesNoTrace(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		db, kills := p.open(t), 8
		if p.isPostgres() {
			kills = 50
		}
		for range kills {
			c := start(t, "fold alone", p)
			if !c.until("batch", 1+rand.IntN(3)) {
				t.Fatal("there was no more to do")
			}
			<-time.After(time.Duration(rand.IntN(5000)) * time.Microsecond)
			c.kill()
		}
		if err := start(t, "fold alone", p).end(); err != nil {
			t.Fatal(err)
		}
		projectiontest.Equal(t, clean(t, childLog()), projectiontest.Dump(t, db, catalogue.All()...))
	})
}

func TestAProcessThatDiesIsReplaced(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		db, c, log := p.open(t), start(t, "follow", p), childLog()
		if !c.until("batch", 20) {
			t.Fatal("the process has ended")
		}
		e := projectiontest.Engine(t, db, log, catalogue.All()...)
		stop := run(t, e)
		c.kill()
		leads(t, e, 5*time.Second)
		waitFor(t, e, log)
		_ = stop()
		projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
	})
}

// leads waits until an engine leads, which has to be soon.
func leads(t *testing.T, e *projections.Engine, within time.Duration) {
	t.Helper()
	began := time.Now()
	eventually(t, within, "the engine does not lead", e.Leading)
	t.Logf("took over after %v", time.Since(began).Round(time.Millisecond))
}

func eventually(t *testing.T, within time.Duration, otherwise string, is func() bool) {
	t.Helper()
	for patience := time.Now().Add(within); !is(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(patience) {
			t.Fatal(otherwise)
		}
	}
}

// A process that was stopped, as by a debugger or a hypervisor, does not know how long.
func TestAProcessThatWasStoppedWritesNothingWhenItGoesOn(t *testing.T) {
	places(t, func(t *testing.T, p place) { standsStill(t, p, "stop between transactions") })
	t.Run("in a transaction of PostgreSQL", func(t *testing.T) { // nobody can end what another process holds in a file
		t.Parallel()
		standsStill(t, place(postgrestest.Database(t)), "stop in a transaction")
	})
}

func standsStill(t *testing.T, p place, role string) {
	all := childLog()
	log := &projectiontest.Log{} // ends before that of the child
	for _, e := range all.Events()[:len(all.Events())/2] {
		log.Add(e)
	}
	half, _ := log.Head(context.Background())
	end, _ := all.Head(context.Background())
	db := p.open(t)
	c := start(t, role, p)
	if !c.until("stopped", 1) {
		t.Fatal("the process has ended")
	}
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	if at := stored(t, db); at >= half {
		t.Fatalf("it was stopped at %d of %d only", at, half)
	}
	stop := run(t, e)
	leads(t, e, 5*time.Second)
	waitFor(t, e, log)
	want := clean(t, log)
	projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))

	_ = c.Process.Signal(syscall.SIGCONT)
	<-time.After(1500 * time.Millisecond) // it tries what it was about to do, and to renew its lease
	if at := stored(t, db); at != half || !e.Leading() {
		t.Errorf("the checkpoint is at %d, not %d", at, half)
	}
	projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
	_ = stop()
	eventually(t, 30*time.Second, "it does not take over again", func() bool { return stored(t, db) == end })
	_ = c.input.Close()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	projectiontest.Equal(t, clean(t, all), projectiontest.Dump(t, db, catalogue.All()...))
}

func stored(t *testing.T, db readstore.DB) eventstore.Position {
	t.Helper()
	rows, err := db.Query(context.Background(), "SELECT coalesce(min(position), 0) FROM checkpoint")
	at, err := readstore.Collect(rows, err, func(rows readstore.Rows) (n int64, err error) { return n, rows.Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Position(at[0])
}
