package projections_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// Two nodes on a database whose transactions take longer than a lease lives: they take turns, and get on.
func TestTransactionsThatOutliveALeaseGoThrough(t *testing.T) {
	t.Parallel()
	url := postgrestest.Database(t)
	log := history(11, 300)
	log.Step = 0
	nodes := make([]*projections.Engine, 2)
	for i := range nodes {
		nodes[i] = projectiontest.Engine(t, projectiontest.OpenPostgres(t, url), log, catalogue.All()...)
	}
	execute(t, url, `CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(4.5); RETURN NULL; END'`)
	execute(t, url, "CREATE TRIGGER slow AFTER INSERT ON transcript_entry FOR EACH STATEMENT EXECUTE FUNCTION be_slow()")
	for _, e := range nodes {
		stop := run(t, e)
		defer func() {
			if err := stop(); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	head, _ := log.Head(ctx)
	if err := nodes[0].WaitFor(ctx, head); err != nil {
		t.Fatal(err)
	}
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, projectiontest.OpenPostgres(t, url), catalogue.All()...))
}

// execute runs a statement as somebody else than the product.
func execute(t *testing.T, url, statement string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(context.Background(), statement); err != nil {
		t.Fatal(err)
	}
}
