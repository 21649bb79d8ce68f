package projections_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

func named(name string) []projections.Projection {
	p, _ := catalogue.New(name)
	return []projections.Projection{p}
}

func TestRebuildsFollowOneAnotherWhateverTheyLeave(t *testing.T) {
	t.Parallel()
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			log := history(21, 600)
			db := open(t)
			projectiontest.Apply(t, db, log, catalogue.All()...)
			want := projectiontest.Dump(t, db, catalogue.All()...)
			ctx, cancel := context.WithCancel(t.Context())
			err := projections.Rebuild(ctx, db, log, named("sessions"), projections.Rebuilding{
				Options: projections.Options{MinBatch: 1, MaxBatch: 1},
				Progress: func(done, total eventstore.Position) {
					if done > total/2 {
						cancel()
					}
				},
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the interrupted rebuild ends with %v", err)
			}
			for _, group := range [][]projections.Projection{
				named("directory"), named("directory"), catalogue.All(), catalogue.All(), named("sessions"),
			} {
				if err := projections.Rebuild(t.Context(), db, log, group, projections.Rebuilding{}); err != nil {
					t.Fatal(err)
				}
				if parked, err := projections.Parked(t.Context(), db, 10); err != nil || len(parked) > 0 {
					t.Fatalf("%v %v", parked, err)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
			}
		})
	}
}

// TestASwapWaitsForReadersAndTheLiveTablesGoOnMeanwhile has a reader hold a table for longer than a lease lives.
func TestASwapWaitsForReadersAndTheLiveTablesGoOnMeanwhile(t *testing.T) {
	t.Parallel()
	log := history(23, 300)
	url := postgrestest.Database(t)
	db, other := projectiontest.OpenPostgres(t, url), projectiontest.OpenPostgres(t, url)
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	stop := run(t, e)
	defer stop()
	waitFor(t, e, log)
	held, release := make(chan struct{}), make(chan struct{})
	reader := make(chan error, 1)
	go func() {
		reader <- db.View(t.Context(), func(q readstore.Queryer) error {
			rows, err := q.Query(t.Context(), "SELECT count(*) FROM dim_queue")
			_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (n int, err error) { return n, rows.Scan(&n) })
			close(held)
			<-release
			return err
		})
	}()
	<-held
	rebuilt := make(chan error, 1)
	go func() {
		rebuilt <- projections.Rebuild(t.Context(), other, log, catalogue.All(), projections.Rebuilding{})
	}()
	for i := range 2 { // each is stored, though not at once: the swap is tried in between
		tick := time.NewTimer(2 * time.Second)
		select {
		case err := <-rebuilt:
			t.Fatalf("the tables of a reader were swapped: %v", err)
		case <-tick.C:
		}
		projectiontest.Append[queue.Event](log, fmt.Sprintf("queue-new%d", i), t0, queue.QueueDefined{QueueID: "new"})
		waitFor(t, e, log)
	}
	close(release)
	if err := errors.Join(<-reader, <-rebuilt); err != nil {
		t.Fatal(err)
	}
	waitFor(t, e, log)
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, other, catalogue.All()...))
}
