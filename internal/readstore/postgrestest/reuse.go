package postgrestest

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// used are schemas that tests have given back.
var used struct {
	sync.Mutex
	connections []string
}

// Reused returns the URL of a schema that is as prepare left an empty one: which a test before may have had, for making one costs
// half a second. The test must not change more than the rows of tables that prepare left empty. On a server that outlives
// the tests each test gets a schema of its own.
func Reused(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	if os.Getenv("CHATWATCH_TEST_DATABASE") != "" {
		connection := Database(t)
		if err := prepare(connection); err != nil {
			t.Fatal(err)
		}
		return connection
	}
	connection, err := take(prepare)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := empty(connection); err != nil {
			t.Errorf("empty a schema, does a connection still use it? %v", err)
			return
		}
		used.Lock()
		defer used.Unlock()
		used.connections = append(used.connections, connection)
	})
	return connection
}

func take(prepare func(url string) error) (string, error) {
	used.Lock()
	if last := len(used.connections) - 1; last >= 0 {
		connection := used.connections[last]
		used.connections = used.connections[:last]
		used.Unlock()
		return connection, nil
	}
	used.Unlock()
	s, err := shared()
	if err != nil {
		return "", err
	}
	connection, err := schema(s.URL())
	if err != nil {
		return "", err
	}
	if err := prepare(connection); err != nil {
		return "", err
	}
	// What is there now is told from what tests write by a table of its own.
	return connection, execute(connection, `CREATE TABLE prepared_table AS SELECT tablename AS name FROM pg_tables
		WHERE schemaname = current_schema() AND (xpath('/row/n/text()',
			query_to_xml(format('SELECT count(*) AS n FROM (SELECT FROM %I LIMIT 1) AS one', tablename), false, true, '')))[1]::text <> '0'
		UNION ALL SELECT 'prepared_table'`)
}

// empty takes out what a test has written.
func empty(connection string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, connection)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, `DO $$ DECLARE tables text; BEGIN
		SET LOCAL lock_timeout = '10s';
		SELECT string_agg(quote_ident(tablename), ', ') INTO tables FROM pg_tables
			WHERE schemaname = current_schema() AND tablename NOT IN (SELECT name FROM prepared_table);
		IF tables IS NOT NULL THEN EXECUTE 'TRUNCATE ' || tables; END IF;
	END $$`)
	return err
}
