package migrations_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// texts runs a query of one column.
func texts(t *testing.T, db readstore.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(context.Background(), query)
	out, err := readstore.Collect(rows, err, func(rows readstore.Rows) (text string, err error) {
		err = rows.Scan(&text)
		return text, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openPostgres(t *testing.T) readstore.DB {
	return projectiontest.OpenPostgres(t, postgrestest.Database(t))
}

const (
	relations = `SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v')
		AND c.relname <> 'goose_db_version' `
	columnsOf = `SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname <> 'goose_db_version' `
)

func TestEverythingIsExplained(t *testing.T) {
	db := openPostgres(t)
	if all := texts(t, db, relations); len(all) < 30 {
		t.Fatalf("%d tables and views only: %v", len(all), all)
	}
	for what, query := range map[string]string{
		"tables and views": relations + "AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''",
		"columns":          columnsOf + "AND c.relkind IN ('r', 'v') AND coalesce(col_description(c.oid, a.attnum), '') = ''",
		"functions": `SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
			AND coalesce(obj_description(oid, 'pg_proc'), '') = ''`,
		"durations without their unit": columnsOf + `AND c.relkind = 'r' AND a.attname LIKE '%\_ms'
			AND col_description(c.oid, a.attnum) !~* 'millisecond'`,
	} {
		if bare := texts(t, db, query); len(bare) > 0 {
			t.Errorf("%s without an explanation: %v", what, bare)
		}
	}
}

func TestTablesHaveTheFourTypesThatTheWriterKnows(t *testing.T) {
	other := texts(t, openPostgres(t), columnsOf+`AND c.relkind = 'r'
		AND format_type(a.atttypid, a.atttypmod) NOT IN ('text', 'bigint', 'boolean', 'timestamp with time zone')`)
	if len(other) > 0 {
		t.Errorf("other types: %v", other)
	}
}

func TestConstraintsHaveNamesOfTheirOwn(t *testing.T) {
	given := texts(t, openPostgres(t), `SELECT conname::text FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
		AND conname ~ '_(pkey|key|check|fkey)$' AND conrelid <> 'goose_db_version'::regclass`)
	if len(given) > 0 {
		t.Errorf("named by the server: %v", given)
	}
}

// An index whose name ends in _open is made before a rebuild, the others after it.
func TestIndexesOfWhatHasNotEndedAreNamedSo(t *testing.T) {
	for _, name := range []string{"fact_session_open", "fact_queue_segment_open", "fact_agent_leg_open", "fact_monitoring_open", "fact_staff_status_open", "fact_slot_open"} {
		if found := texts(t, openPostgres(t), "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema() AND indexname = '"+name+"'"); len(found) != 1 {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestBothDatabasesHaveTheSameTablesAndColumns(t *testing.T) {
	server, file := openPostgres(t), projectiontest.Open(t)
	onServer := texts(t, server, relations+"ORDER BY 1")
	// What only several processes need.
	onServer = slices.DeleteFunc(onServer, func(name string) bool {
		return slices.Contains([]string{"log_origin", "process_state", "swap_gate"}, name)
	})
	inFile := texts(t, file, `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
		AND name <> 'goose_db_version' ORDER BY 1`)
	if diff := cmp.Diff(onServer, inFile); diff != "" {
		t.Errorf("tables and views, on the server and in the file:\n%s", diff)
	}
	for _, name := range onServer {
		if diff := cmp.Diff(columns(t, server, name), columns(t, file, name)); diff != "" {
			t.Errorf("%s, on the server and in the file:\n%s", name, diff)
		}
	}
}

// columns of a table, in any order.
func columns(t *testing.T, db readstore.DB, table string) string {
	t.Helper()
	all, err := db.Columns(context.Background(), table)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
