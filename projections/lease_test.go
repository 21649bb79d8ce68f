package projections_test

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

func TestOneOfTwoProcessesLeads(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		log := history(11, 200)
		one, two := p.open(t), p.open(t)
		first, second := projectiontest.Engine(t, one, log, catalogue.All()...), projectiontest.Engine(t, two, log, catalogue.All()...)
		stop := map[*projections.Engine]func() error{first: run(t, first), second: run(t, second)}
		eventually(t, 5*time.Second, "none leads", func() bool { return first.Leading() || second.Leading() })
		leader, standby := first, second
		if second.Leading() {
			leader, standby = second, first
		}
		waitFor(t, leader, log)
		waitFor(t, standby, log)
		for range 20 {
			projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
			waitFor(t, leader, log)
			began := time.Now()
			waitFor(t, standby, log)
			if late := time.Since(began); late > 250*time.Millisecond {
				t.Errorf("who stands by learned of it %v later", late)
			}
			if standby.Leading() || !leader.Leading() {
				t.Fatal("the lease has changed hands")
			}
		}
		began := time.Now()
		if err := stop[leader](); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		leads(t, standby, 2*time.Second) // not after the life of the lease, which was given back
		if time.Since(began) > 2*time.Second {
			t.Errorf("it took %v", time.Since(began))
		}
		projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
		waitFor(t, standby, log)
		_ = stop[standby]()
		projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, one, catalogue.All()...))
	})
}

// Another may take the lease by force in the very moment in which an engine has got it.
func TestAnEngineThatLosesItsLeaseAtOnceStandsBy(t *testing.T) {
	t.Parallel()
	log := history(12, 50)
	each(t, func(t *testing.T, db readstore.DB) {
		writes := 0
		e := projectiontest.Engine(t, stopping{db, func() {}, func() {
			if writes++; writes == 2 { // after the checkpoints have been made and taken
				if _, err := projections.RetryParked(context.Background(), db, log, catalogue.All(), projections.Options{}); err != nil {
					t.Error(err)
				}
			}
		}}, log, catalogue.All()...)
		stop := run(t, e)
		waitFor(t, e, log)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

func TestAnEngineEndsWithItsDatabase(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		log := history(12, 50)
		one, two := p.open(t), p.open(t)
		leader, standby := projectiontest.Engine(t, one, log, catalogue.All()...), projectiontest.Engine(t, two, log, catalogue.All()...)
		ended := make(chan error, 2)
		go func() { ended <- leader.Run(context.Background()) }()
		waitFor(t, leader, log)
		go func() { ended <- standby.Run(context.Background()) }()
		waitFor(t, standby, log)
		for name, db := range map[string]readstore.DB{"leads": one, "stands by": two} {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if name == "leads" {
				projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
			}
		}
		for range 2 {
			select {
			case err := <-ended:
				if !errors.Is(err, readstore.ErrClosed) {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("an engine does not end")
			}
		}
	})
}

func TestALeaseIsHeldByOneProcess(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		one, two := p.open(t), p.open(t)
		var held [2]atomic.Bool
		begin := func(n int, db readstore.DB) (stop func()) {
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = projections.NewLease(db, "lease", projections.Options{}).Run(ctx, func(ctx context.Context) error {
					if held[1-n].Load() {
						t.Error("both have it")
					}
					held[n].Store(true)
					<-ctx.Done()
					held[n].Store(false)
					return ctx.Err()
				})
			}()
			return func() { cancel(); <-ended }
		}
		stopFirst := begin(0, one)
		eventually(t, 5*time.Second, "the first does not get it", held[0].Load)
		stopSecond := begin(1, two)
		<-time.After(4 * time.Second) // it is renewed
		if held[1].Load() || !held[0].Load() {
			t.Fatal("the lease has changed hands")
		}
		stopFirst()
		eventually(t, 2*time.Second, "the second does not get what was given back", held[1].Load)
		stopSecond()
	})
}

func TestALeaseIsLostByAProcessThatDiesOrStandsStill(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		db := p.open(t)
		for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
			c := start(t, "lease", p)
			if !c.until("held", 1) {
				t.Fatal("the process has ended")
			}
			_ = c.Process.Signal(how)
			began := time.Now()
			ctx, cancel := context.WithCancel(context.Background())
			err := projections.NewLease(db, "lease", projections.Options{}).Run(ctx, func(ctx context.Context) error {
				if late := time.Since(began); late > 5*time.Second {
					t.Errorf("it was taken over after %v", late)
				}
				if how == syscall.SIGSTOP {
					_ = c.Process.Signal(syscall.SIGCONT)
					if !c.until("lost", 1) {
						t.Error("who goes on does not learn that the lease is lost")
					}
				}
				if ctx.Err() != nil {
					t.Error("the new holder has lost it")
				}
				cancel()
				return nil
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			c.kill()
		}
	})
}
