package catalogue_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
	"github.com/chatwatch/chatwatch/migrations"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// before is a database as an older version has left it, with rows that the next one cannot use.
const before = `
	INSERT INTO checkpoint (name, position, epoch, updated_at) VALUES ('directory', 7, 3, 0), ('staffing', 7, 3, 0), ('sessions', 7, 3, 0);
	INSERT INTO parked_event (projection, position, stream, revision, event_type, recorded_at, cause)
		VALUES ('sessions', 7, 'session-x', 0, 'E', 0, 'c'), ('staffing', 7, 'staff-x', 0, 'E', 0, 'c');
	INSERT INTO dim_staff (staff_id, name, profile_id, logged_in, registered_at, valid_from, revision) VALUES ('x', 'X', 'p', 0, 0, 0, 0);
	INSERT INTO fact_session_activity (session_key, revision, messages, customer_messages, agent_messages, supervisor_messages, private_messages)
		VALUES (7, 0, 0, 0, 0, 0, 0);
	INSERT INTO agg_queue_15m (queue_id, bucket_at, offered, answered, answered_in_target, assigned, transferred, closed, abandoned,
		short_abandoned, answered_wait_ms, abandoned_wait_ms) VALUES ('q', 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)`

func TestWhatAnOlderVersionHasLeftIsBuiltAnew(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "read.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, old, migrations.SQLite(), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := old.ExecContext(ctx, before); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	db, err := sqlitedb.Open(ctx, path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	turn := 0
	h := &projectiontest.History{Log: &projectiontest.Log{}, Pick: func(n int) int { turn += 7; return turn % n }}
	h.Begin()
	for range 100 {
		h.Step()
	}
	projectiontest.Apply(t, db, h.Log, catalogue.All()...)
	fresh := projectiontest.Open(t)
	projectiontest.Apply(t, fresh, h.Log, catalogue.All()...)
	projectiontest.Equal(t, projectiontest.Dump(t, fresh, catalogue.All()...), projectiontest.Dump(t, db, catalogue.All()...))
}
