package projections_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// lazy is the setting of a server that loses what was committed in the last seconds when it is stopped at once.
const lazy = "wal_writer_delay=10s"

func TestAnEngineOutlivesTheServerOfItsDatabase(t *testing.T) {
	t.Parallel()
	server := postgrestest.Cluster(t, lazy)
	db := place(server.URL()).open(t)
	random := rand.New(rand.NewPCG(9, 9))
	h := &projectiontest.History{Log: &projectiontest.Log{Step: 3}, Pick: random.IntN}
	h.Begin()
	e := projectiontest.Engine(t, db, h.Log, catalogue.All()...)
	stop := run(t, e)
	ended, quiet := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quiet)
		for {
			select {
			case <-ended:
				return
			case <-time.After(2 * time.Millisecond):
				h.Step()
			}
		}
	}()
	for _, down := range []func(testing.TB){server.Stop, server.Crash, server.Crash, server.Stop} {
		<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
		down(t)
		eventually(t, 10*time.Second, "no trouble is told", func() bool { return e.Trouble() != nil })
		server.Start(t)
		waitFor(t, e, h.Log)
	}
	close(ended)
	<-quiet
	waitFor(t, e, h.Log)
	_ = stop()
	projectiontest.Equal(t, clean(t, h.Log), projectiontest.Dump(t, db, catalogue.All()...))
}

// Commits are not waited for: what they lose is folded again, also when nothing new comes.
func TestWhatAServerLosesIsFoldedAgain(t *testing.T) {
	t.Parallel()
	server := postgrestest.Cluster(t, lazy)
	db, log := place(server.URL()).open(t), history(10, 300)
	ctx := context.Background()
	head, _ := log.Head(ctx)
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	stop := run(t, e)
	waitFor(t, e, log)
	_ = stop()
	server.Crash(t)
	server.Start(t)
	eventually(t, 10*time.Second, "no connection", func() bool { _, err := db.Columns(ctx, "checkpoint"); return err == nil })
	if at := stored(t, db); at >= head {
		t.Fatalf("nothing is lost at %d: the test is worth nothing", at)
	}
	// This time the lease is kept, and only rows are lost.
	stop = run(t, e)
	waitFor(t, e, log)
	admin, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
	waitFor(t, e, log)
	server.Crash(t)
	server.Start(t)
	eventually(t, 10*time.Second, "no connection", func() bool { _, err := db.Columns(ctx, "checkpoint"); return err == nil })
	eventually(t, 10*time.Second, "what is lost is not folded again", func() bool { return stored(t, db) == head+1 })
	_ = stop()
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
}
