// Package postgrestest gives tests a PostgreSQL: an empty schema for each test, on a cluster of the test process that is made when
// the first test asks and ends with the process, however that ends; or a cluster of its own for a test that stops and starts it.
// With CHATWATCH_TEST_DATABASE=postgres://… the schemas are made on that server instead. It knows nothing of the product and is for
// tests only.
package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the cluster of the process. It stays reachable until the end: were it collected, the watchdog's pipe would close.
var shared = sync.OnceValues(func() (*Server, error) { return launch() })

// Wanted tells whether tests that can run on either read database are to run on PostgreSQL: CHATWATCH_TEST_READS is "postgres".
// `make test` runs them on both.
func Wanted() bool { return os.Getenv("CHATWATCH_TEST_READS") == "postgres" }

// Database makes an empty schema and returns the URL of connections that have it as their search path. It is dropped with the test,
// and so is every schema whose name begins with its name.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv("CHATWATCH_TEST_DATABASE")
	if server == "" {
		s, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		server = s.URL()
	}
	connection, err := schema(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(connection); err != nil {
			t.Errorf("drop the schema, does a connection still use it? %v", err)
		}
	})
	return connection
}

// schema makes an empty one on a server, and returns the URL of connections that have it as their search path.
func schema(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", errors.New("CHATWATCH_TEST_DATABASE is no URL of the form postgres://…")
	}
	name := "t_" + strings.ToLower(rand.Text()[:12])
	if err := execute(server, "CREATE SCHEMA "+name); err != nil {
		return "", fmt.Errorf("make a schema: %w", err)
	}
	return with(u, "search_path", name), nil
}

// Login returns the URL with another user, who needs no password on a server of this package. Roles are shared by all schemas of
// a server. It panics when the URL is none.
func Login(connection, role string) string {
	u, err := url.Parse(connection)
	if err != nil {
		panic(err)
	}
	u.User = url.User(role)
	return u.String()
}

func with(u *url.URL, parameter, value string) string {
	changed, query := *u, u.Query()
	query.Set(parameter, value)
	changed.RawQuery = query.Encode()
	return changed.String()
}

func execute(server, statement string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// drop removes the schema of a connection, and those whose names begin with its name.
func drop(connection string) error {
	return execute(connection, `DO $$ DECLARE s name; BEGIN
		SET LOCAL lock_timeout = '10s';
		FOR s IN SELECT nspname FROM pg_namespace WHERE starts_with(nspname, current_setting('search_path')) LOOP
			EXECUTE format('DROP SCHEMA %I CASCADE', s);
		END LOOP;
	END $$`)
}
