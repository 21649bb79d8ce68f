package migrations_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/readstore/postgres"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/migrations"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// makeRoles is the statement of the migration that makes the roles.
func makeRoles(t *testing.T) string {
	t.Helper()
	file, err := fs.ReadFile(migrations.Postgres(), "00009_roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(file), "-- +goose StatementBegin\n")
	statement, _, found := strings.Cut(rest, "-- +goose StatementEnd")
	if !found {
		t.Fatal("the migration has no statement")
	}
	return statement
}

func TestSeveralNodesMakeTheRolesAtOnce(t *testing.T) {
	url, statement := postgrestest.Cluster(t).URL(), makeRoles(t)
	group, ctx := errgroup.WithContext(context.Background())
	for range 8 {
		group.Go(func() error {
			c, err := pgx.Connect(ctx, url)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			_, err = c.Exec(ctx, statement)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	rows, err := connect(t, url).Query(context.Background(), `SELECT rolname || ' ' || rolcanlogin || ' ' || array_to_string(rolconfig, ', ')
		FROM pg_roles WHERE rolname LIKE 'chatwatch%' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	const settings = " true default_transaction_read_only=on, statement_timeout=5min, idle_in_transaction_session_timeout=1min"
	if got, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(got) != 2 ||
		got[0] != "chatwatch_auditor"+settings || got[1] != "chatwatch_bi"+settings {
		t.Errorf("%q %v", got, err)
	}
}

func TestRolesAreLeftToAnAdministratorByWhoMayNotMakeThem(t *testing.T) {
	url, ctx := postgrestest.Cluster(t).URL(), context.Background()
	admin := connect(t, url)
	if code := answer(admin, "CREATE ROLE app LOGIN; CREATE SCHEMA app AUTHORIZATION app; ALTER ROLE app SET search_path = app"); code != "" {
		t.Fatal(code)
	}
	app := postgrestest.Login(url, "app")
	var logged bytes.Buffer
	db, err := postgres.Open(ctx, app, postgres.Options{Name: "test", Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "CREATE ROLE chatwatch_bi LOGIN;") {
		t.Errorf("the administrator's part is not in the log:\n%s", &logged)
	}

	var notices []string
	config, err := pgx.ParseConfig(app)
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	owner, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(ctx)
	if _, err := owner.Exec(ctx, makeRoles(t)); err != nil {
		t.Fatal(err)
	}
	if len(notices) != 2 {
		t.Fatalf("what there is to do for an administrator: %q", notices)
	}
	// What the notices say is enough, and the next start grants.
	for _, n := range notices {
		if code := answer(admin, regexp.MustCompile(`^.*as an administrator: `).ReplaceAllString(n, "")); code != "" {
			t.Fatalf("%s: %s", n, code)
		}
	}
	projectiontest.OpenPostgres(t, app)
	for _, role := range []string{"chatwatch_bi", "chatwatch_auditor"} {
		c := connect(t, postgrestest.Login(url, role))
		// Without the schema in the search path: what a view or function is made of does not depend on who reads it.
		for _, from := range []string{"queue_snapshot", "queue_snapshot_at(now())", "queue_snapshot_agent_at(now())"} {
			if code := answer(c, "SELECT count(*) FROM app."+from); code != "" {
				t.Errorf("%s: %s: %s", role, from, code)
			}
		}
		if code := answer(c, "DELETE FROM app.checkpoint"); code != readOnly {
			t.Errorf("%s: %s", role, code)
		}
	}
}
