package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/internal/simulation"
)

// TestPostgreSQLIsLostUnderLoad stops it in order and crashes it: writes go on, reports are unavailable, and everything is
// there afterwards.
func TestPostgreSQLIsLostUnderLoadAndNothingElseIs(t *testing.T) {
	server := postgrestest.Cluster(t, postgrestest.Durable)
	site := newSharedSite(t, server.URL(), 2)
	one, two := site.nodes[0], site.nodes[1]
	config := one.simulation(conversations(t, 40))
	config.Rate, config.Parallel = 100, 16
	done := make(chan error, 1)
	go func() {
		summary, err := simulation.Run(t.Context(), config)
		if err != nil && summary.Verification != nil {
			t.Logf("%+v", summary.Verification.Problems)
		}
		done <- err
	}()
	admin := one.token("admin", "root")
	for i, stop := range []func(testing.TB){server.Stop, server.Crash} {
		eventually(t, 20*time.Second, "traffic", func() bool { return two.readModels()["position"].(float64) > float64(150*(i+1)) })
		stop(t)
		for _, node := range site.nodes {
			node.becomes(http.StatusServiceUnavailable)
			if !strings.Contains(node.metrics(), "\nchatwatch_read_database_up 0\n") {
				t.Error("metrics do not tell that the database is away")
			}
			site.queue(node, "written", fmt.Sprintf("Without the read database, %d %s", i, node.addr))
			response, answer := node.exchange(http.MethodGet, "/v1/reports/queue-snapshot", admin, nil)
			if response.StatusCode != http.StatusServiceUnavailable || answer["code"] != "unavailable" || response.Header.Get("Retry-After") == "" {
				t.Errorf("a report without the read database: %d %v", response.StatusCode, answer)
			}
		}
		server.Start(t)
		for _, node := range site.nodes {
			node.becomes(http.StatusOK)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	site.verified()
}

// startOnDatabase starts a node on an embedded log of its own whose read models are in a database.
func startOnDatabase(t *testing.T) (*sharedSite, *server) {
	t.Helper()
	namesItsStore(t)
	site := &sharedSite{t: t, database: onDatabase(t)}
	node := startServer(t, "--database", site.database)
	site.nodes = append(site.nodes, node)
	node.becomes(http.StatusOK)
	return site, node
}

// stored waits until the read models hold the whole log.
func (s *sharedSite) stored() {
	s.t.Helper()
	node := s.nodes[0]
	response, _ := node.exchange(http.MethodPut, "/v1/queues/last", node.token("admin", "root"), object{"name": "Last"})
	after := response.Header.Get("Chatwatch-Position")
	if response, got := node.exchange(http.MethodGet, "/v1/queues", node.token("admin", "root"), nil, "Chatwatch-After", after); response.StatusCode != http.StatusOK {
		s.t.Fatalf("%v", got)
	}
	eventually(s.t, 10*time.Second, "which log it is has been noted", func() bool {
		return told(s.t, s.database, "SELECT count(*) FROM log_origin WHERE first_event IS NOT NULL") == "1"
	})
}

func TestADatabaseIsOfOneLogAndRefusesOneThatIsShorter(t *testing.T) {
	site, node := startOnDatabase(t)
	site.queue(node, "one", "One")
	site.stored()
	node.stop()
	other := startServer(t)
	for i := range 5 {
		other.must(http.StatusCreated, http.MethodPut, fmt.Sprintf("/v1/queues/q%d", i), other.token("admin", "root"), object{"name": "Q"})
	}
	other.stop()
	if reason := other.fails("--database", site.database); !strings.Contains(reason, "another log") {
		t.Errorf("another log: %s", reason)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(node.dir, "events.db"+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	told := regexp.MustCompile(`ends at position 0, and the read models at --database are at [1-9]`)
	if reason := node.fails("--database", site.database); !told.MatchString(reason) {
		t.Errorf("a log that lost its events: %s", reason)
	}
}

func TestReadModelsOfAnOlderVersionAreBuiltAnewWhileTheNodeServes(t *testing.T) {
	site, node := startOnDatabase(t)
	site.queue(node, "one", "One")
	site.stored()
	node.stop()
	version := told(t, site.database, "SELECT version FROM checkpoint WHERE name = 'directory'")
	statement(t, site.database, "UPDATE checkpoint SET version = version - 1 WHERE name = 'directory'")
	statement(t, site.database, "UPDATE dim_queue SET name = 'as an older version had it'")
	node.start()
	eventually(t, 20*time.Second, "rows of this version", func() bool {
		status, _ := node.ask(http.MethodGet, "/v1/queues", node.token("admin", "root"), nil)
		if status != http.StatusOK {
			t.Fatalf("the queues cannot be read meanwhile: %d", status)
		}
		return told(t, site.database, "SELECT version FROM checkpoint WHERE name = 'directory'") == version &&
			told(t, site.database, "SELECT string_agg(DISTINCT name, ' ' ORDER BY name) FROM dim_queue WHERE is_current") == "Last One"
	})
	site.queue(node, "two", "Two") // it goes on
	site.stored()
	site.verified()
}

// TestParkedStreamsAreFoldedAgain parks by hand, as a version of the program would that could not fold the stream.
func TestParkedStreamsAreFoldedAgainWhileTheNodeServes(t *testing.T) {
	site, node := startOnDatabase(t)
	site.queue(node, "one", "One")
	site.queue(node, "two", "Two")
	site.stored()
	node.stop()
	statement(t, site.database, "DELETE FROM dim_queue WHERE queue_id = 'one'")
	statement(t, site.database, `INSERT INTO parked_event (projection, position, stream, revision, event_type, recorded_at, cause)
		VALUES ('directory', 1, 'queue-one', 0, 'QueueDefined', now(), 'as a test wants it')`)
	node.start()
	node.becomes(http.StatusOK)
	if got := node.readModels(); got["parked_streams"] != 1.0 {
		t.Errorf("readyz tells %v", got)
	}
	if !strings.Contains(node.metrics(), `chatwatch_projection_parked_streams{projection="directory"} 1`) {
		t.Error("metrics do not tell of the parked stream")
	}
	out, err := node.command("retry-parked")
	if err != nil || !strings.Contains(out, "directory: queue-one has been folded, 1 events") {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, takeover, "the node goes on", func() bool { return node.leads() && node.readModels()["parked_streams"] == 0.0 })
	site.queue(node, "one", "One, renamed")
	site.stored()
	if name := told(t, site.database, "SELECT name FROM dim_queue WHERE queue_id = 'one' AND is_current"); name != "One, renamed" {
		t.Errorf("the stream is at %q", name)
	}
	if out, err := node.command("retry-parked", "directory"); err != nil || out != "nothing is parked\n" {
		t.Errorf("%v %s", err, out)
	}
	site.verified()
}

func TestMigrateMakesTheSchemaAndServeFindsIt(t *testing.T) {
	namesItsStore(t)
	database := onDatabase(t)
	for range 2 {
		var out, errs bytes.Buffer
		err := run(t.Context(), []string{"migrate", "--data-dir", t.TempDir(), "--database", database}, &out, &errs)
		if err != nil || out.String() != "the schema of the read models at --database is up to date\n" {
			t.Fatalf("%v %s %s", err, out.String(), errs.String())
		}
	}
	if n := told(t, database, "SELECT count(*) FROM queue_snapshot"); n != "0" {
		t.Errorf("the snapshot has %s rows", n)
	}
}

func TestThePasswordOfTheDatabaseIsNeverShown(t *testing.T) {
	namesItsStore(t)
	const password = "s3cret%2Fword"
	database := onDatabase(t)
	with := func(change func(*url.URL)) string {
		return strings.Replace(elsewhere(t, database, func(u *url.URL) {
			u.User = url.UserPassword("postgres", "PASSWORD")
			change(u)
		}), "PASSWORD", password, 1)
	}
	for name, address := range map[string]string{
		"no such database": with(func(u *url.URL) { u.Path = "/nowhere" }),
		"no such schema":   with(func(u *url.URL) { u.RawQuery = "sslmode=disable&search_path=nowhere" }),
		"nobody there":     with(func(u *url.URL) { u.Host = freePort(t) }),
		"no such user":     with(func(u *url.URL) { u.User = url.UserPassword("nobody", "PASSWORD") }),
		"no port":          with(func(u *url.URL) { u.Host = "127.0.0.1:port" }),
		"no address":       "postgres://postgres:" + password + "@[::1",
		"pairs":            "host=127.0.0.1 port=x password=" + password,
		"no TLS":           with(func(u *url.URL) { u.RawQuery = "sslmode=require" }),
	} {
		var out, errs bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := run(ctx, []string{
			"serve", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--log-level", "debug", "--database", address, "--database-wait", "300ms",
		}, &out, &errs)
		cancel()
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: it serves, or waits: %v", name, err)
			continue
		}
		if shown := err.Error() + out.String() + errs.String(); strings.Contains(shown, "s3cret") {
			t.Errorf("%s: %s", name, shown)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: in more than one line: %s", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
}
