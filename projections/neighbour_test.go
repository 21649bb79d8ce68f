package projections_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// A user who may make no schemas, and whose own one has a name that is a word of SQL, rebuilds into schemas that an administrator
// has made. What others have been granted, and what they have made of the views, is there afterwards.
func TestARebuildNeedsFewRightsAndKeepsThoseOfOthers(t *testing.T) {
	t.Parallel()
	admin := postgrestest.Database(t)
	address, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("search_path", `"order"`)
	address.RawQuery = query.Encode()
	execute(t, admin, "DO $$ BEGIN CREATE ROLE site LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
	execute(t, admin, "DO $$ BEGIN CREATE ROLE reporter; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
	for _, schema := range []string{`"order"`, "order_rebuild", "order_retired"} {
		execute(t, admin, "CREATE SCHEMA "+schema+" AUTHORIZATION site")
		t.Cleanup(func() { execute(t, admin, "DROP SCHEMA "+schema+" CASCADE") })
	}
	log := history(12, 200)
	db := projectiontest.OpenPostgres(t, postgrestest.Login(address.String(), "site"))
	t.Cleanup(func() { _ = db.Close() })
	projectiontest.Apply(t, db, log, catalogue.All()...)
	execute(t, address.String(), "CREATE VIEW of_the_administrator AS SELECT session_id FROM fact_session")
	execute(t, address.String(), "GRANT SELECT ON fact_queue_segment TO reporter")

	if err := projections.Rebuild(t.Context(), db, log, catalogue.All(), projections.Rebuilding{}); err != nil {
		t.Fatal(err)
	}
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
	execute(t, address.String(), "SELECT count(*) FROM of_the_administrator")
	execute(t, address.String(), "SELECT 1 / has_table_privilege('reporter', 'fact_queue_segment', 'SELECT')::integer")
}

// A report that reads for longer than a lease lives holds up the swap, and does not end it.
func TestASwapWaitsForALongReport(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	log := history(14, 100)
	node := projectiontest.Engine(t, projectiontest.OpenPostgres(t, address), log, catalogue.All()...)
	stop := run(t, node)
	waitFor(t, node, log)
	report, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.Exec(t.Context(), "BEGIN; SELECT count(*) FROM fact_queue_segment"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(6*time.Second, func() { _ = report.Close(context.Background()) })
	other := projectiontest.OpenPostgres(t, address)
	if err := projections.Rebuild(t.Context(), other, log, catalogue.All(), projections.Rebuilding{}); err != nil {
		t.Error(err)
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, other, catalogue.All()...))
}

func TestARebuildTellsAtOnceWhatStandsInItsWay(t *testing.T) {
	t.Parallel()
	address := postgrestest.Database(t)
	log := history(13, 50)
	db := projectiontest.OpenPostgres(t, address)
	projectiontest.Apply(t, db, log, catalogue.All()...)
	execute(t, address, "CREATE VIEW waits AS SELECT queue_id, wait_ms FROM fact_queue_segment")
	err := projections.Rebuild(t.Context(), db, silent{t, log}, catalogue.All(), projections.Rebuilding{})
	if err == nil || !strings.Contains(err.Error(), "used by waits") {
		t.Fatal(err)
	}
	execute(t, address, "DROP VIEW waits")
	if err := projections.Rebuild(t.Context(), db, log, catalogue.All(), projections.Rebuilding{}); err != nil {
		t.Fatal(err)
	}
}

// silent is a log that must not be read.
type silent struct {
	t *testing.T
	projections.Log
}

func (s silent) Follow(context.Context, eventstore.Position) (projections.Source, error) {
	s.t.Fatal("the log is read")
	return nil, nil
}
