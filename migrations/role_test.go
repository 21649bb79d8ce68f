package migrations_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/migrations"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

const (
	forbidden = "42501" // insufficient_privilege
	readOnly  = "25006" // read_only_sql_transaction
)

// login makes a migrated schema and connects to it as a role.
func login(t *testing.T, role string) *pgx.Conn {
	t.Helper()
	url := postgrestest.Database(t)
	projectiontest.OpenPostgres(t, url)
	return connect(t, postgrestest.Login(url, role))
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// answer runs a statement and gives the code of the error, "" for none.
func answer(c *pgx.Conn, statement string) string {
	_, err := c.Exec(context.Background(), statement)
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) {
		return refusal.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

var (
	numbers = strings.Fields(`dim_queue dim_profile dim_profile_queue dim_staff fact_session fact_session_activity fact_queue_segment
		fact_agent_leg fact_staff_status fact_slot fact_monitoring fact_access agg_queue_15m agg_agent_15m agent_handling_15m
		agent_time_15m queue_snapshot queue_snapshot_agent checkpoint parked_event
		queue_snapshot_at(now()) queue_snapshot_agent_at(now())`)
	personal = strings.Fields(`transcript_session transcript_entry transcript_customer transcript_agent transcript_supervisor
		transcript_auditor fact_session_step queue_snapshot_session process_state queue_snapshot_session_at(now())`)
)

func TestAnalystsGetNumbersAndNoText(t *testing.T) {
	c := login(t, "chatwatch_bi")
	for _, from := range numbers {
		if code := answer(c, "SELECT count(*) FROM "+from); code != "" {
			t.Errorf("%s: %s", from, code)
		}
	}
	for _, from := range personal {
		if code := answer(c, "SELECT count(*) FROM "+from); code != forbidden {
			t.Errorf("%s: %q", from, code)
		}
	}
	if code := answer(c, "SELECT customer_email FROM fact_session_step"); code != forbidden {
		t.Errorf("the customer's address: %q", code)
	}
}

// Nothing that an analyst can read has a name, an address or a text of a customer in a column.
func TestNoColumnForAnalystsIsAboutTheCustomer(t *testing.T) {
	c := login(t, "chatwatch_bi")
	rows, err := c.Query(context.Background(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND (column_name LIKE 'customer_name%' OR column_name LIKE '%email%'
		OR column_name IN ('text', 'public_text', 'staff_text', 'question', 'sender_name'))`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(found) > 0 { // the catalogue shows a role what it may read
		t.Errorf("%v %v", found, err)
	}
}

func TestAuditorsReadEverything(t *testing.T) {
	c := login(t, "chatwatch_auditor")
	for _, from := range append(append([]string{"staff_duty", "log_origin"}, numbers...), personal...) {
		if code := answer(c, "SELECT count(*) FROM "+from); code != "" {
			t.Errorf("%s: %s", from, code)
		}
	}
}

// What the product leaves alone: the schema can be one that others use too.
func TestWhatSomebodyElseHasInTheSchemaIsLeftAlone(t *testing.T) {
	url := postgrestest.Database(t)
	admin := connect(t, url)
	for _, statement := range []string{
		"DO $$ BEGIN CREATE ROLE site LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
		"DO $$ BEGIN EXECUTE format('ALTER SCHEMA %I OWNER TO site', current_schema()); END $$",
		"CREATE TABLE payroll (salary bigint)",
	} {
		if code := answer(admin, statement); code != "" {
			t.Fatalf("%s: %s", statement, code)
		}
	}
	projectiontest.OpenPostgres(t, postgrestest.Login(url, "site")) // whose the table is not
	for _, role := range []string{"chatwatch_bi", "chatwatch_auditor"} {
		if code := answer(connect(t, postgrestest.Login(url, role)), "SELECT count(*) FROM payroll"); code != forbidden {
			t.Errorf("%s reads it: %q", role, code)
		}
	}
}

// Everything in the schema is of the lists in the script of grants.
func TestAuditorsMissNoTable(t *testing.T) {
	c := login(t, "chatwatch_auditor")
	rows, err := c.Query(context.Background(), `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relkind IN ('r', 'v') AND NOT has_table_privilege(oid, 'SELECT')`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(found) > 0 {
		t.Errorf("%v %v", found, err)
	}
}

func TestNeitherRoleWrites(t *testing.T) {
	for _, role := range []string{"chatwatch_bi", "chatwatch_auditor"} {
		c := login(t, role)
		statements := []string{"DELETE FROM checkpoint", "INSERT INTO swap_gate (name) VALUES ('x')", "CREATE TABLE x (y text)"}
		for _, statement := range statements {
			if code := answer(c, statement); code != readOnly && code != forbidden {
				t.Errorf("%s: %s: %q", role, statement, code)
			}
		}
		if code := answer(c, "SET default_transaction_read_only = off"); code != "" {
			t.Fatal(code)
		}
		for _, statement := range statements {
			if code := answer(c, statement); code != forbidden {
				t.Errorf("%s, who wants to write: %s: %q", role, statement, code)
			}
		}
		if code := answer(c, "LOCK TABLE swap_gate IN ACCESS EXCLUSIVE MODE"); code == "" {
			t.Errorf("%s locks the gate", role)
		}
	}
}

func TestTheScriptsCanBeRunAgainAndTakeBackWhatIsNotToBeSeen(t *testing.T) {
	url := postgrestest.Database(t)
	projectiontest.OpenPostgres(t, url)
	scripts, err := migrations.Joined(migrations.PostgresScripts())
	if err != nil {
		t.Fatal(err)
	}
	owner := connect(t, url)
	if code := answer(owner, "GRANT SELECT ON fact_session_step TO chatwatch_bi"); code != "" {
		t.Fatal(code)
	}
	for range 2 {
		if _, err := owner.PgConn().Exec(context.Background(), scripts).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	if code := answer(connect(t, postgrestest.Login(url, "chatwatch_bi")), "SELECT count(*) FROM fact_session_step"); code != forbidden {
		t.Errorf("what was granted by hand: %q", code)
	}
}
