package postgrestest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, connection string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func run(t *testing.T, connection, statement string) {
	t.Helper()
	if _, err := connect(t, connection).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func value[V any](t *testing.T, connection, query string, arguments ...any) V {
	t.Helper()
	var v V
	if err := connect(t, connection).QueryRow(t.Context(), query, arguments...).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEverySchemaIsItsOwn(t *testing.T) {
	a, b := Database(t), Database(t)
	for i, connection := range []string{a, b} {
		run(t, connection, fmt.Sprintf("CREATE TABLE thing AS SELECT %d AS n", i))
	}
	if n := value[int](t, a, "SELECT n FROM thing"); n != 0 {
		t.Errorf("the first schema has the table of the other: %d", n)
	}
	if version := value[string](t, a, "SELECT version()"); !strings.HasPrefix(version, "PostgreSQL ") {
		t.Errorf("the server is %s", version)
	}
	if version := value[int](t, a, "SELECT current_setting('server_version_num')::int"); version < 130000 {
		t.Errorf("the server's version is %d", version)
	}
}

func TestASchemaIsDroppedWithItsTestAndThoseNamedAfterIt(t *testing.T) {
	server, schema := Database(t), ""
	t.Run("test", func(t *testing.T) {
		connection := Database(t)
		schema = value[string](t, connection, "SELECT current_schema()")
		run(t, connection, "CREATE TABLE thing (n bigint)")
		run(t, connection, "CREATE SCHEMA "+schema+"_rebuild CREATE TABLE thing (n bigint)")
	})
	if n := value[int](t, server, "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, $1)", schema); n != 0 {
		t.Errorf("%d schemas are left of %s", n, schema)
	}
}

func TestAServerIsStoppedAndStartedAgain(t *testing.T) {
	s := Cluster(t, Durable)
	run(t, s.URL(), "CREATE TABLE thing AS SELECT 1 AS n")
	for _, stop := range []func(testing.TB){s.Stop, s.Crash} {
		stop(t)
		if c, err := pgx.Connect(t.Context(), s.URL()); err == nil {
			_ = c.Close(t.Context())
			t.Error("the server still answers")
		}
		s.Start(t)
		if n := value[int](t, s.URL(), "SELECT n FROM thing"); n != 1 {
			t.Errorf("the table has %d", n)
		}
	}
	if fsync := value[string](t, s.URL(), "SHOW fsync"); fsync != "on" {
		t.Errorf("fsync is %s", fsync)
	}
	run(t, s.URL(), "CREATE ROLE reader LOGIN")
	if role := value[string](t, Login(s.URL(), "reader"), "SELECT current_user"); role != "reader" {
		t.Errorf("logged in as %s", role)
	}
	info, err := os.Stat(filepath.Join(s.dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Error("the server runs as root")
	}
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	s, err := launch("no_such_setting=1")
	if err == nil {
		s.close()
		t.Fatal("it has started")
	}
	if !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("it says only %v", err)
	}
}

func TestTheClusterEndsWithAKilledProcess(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestProcessToBeKilled$")
	child.Env = append(os.Environ(), "CHATWATCH_TEST_DATABASE=", toBeKilled+"=yes")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	connection, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	connection = strings.TrimSpace(connection)
	dir := filepath.Dir(value[string](t, connection, "SHOW data_directory"))
	_ = child.Process.Kill()
	_ = child.Wait()

	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for patience := time.After(30 * time.Second); ; {
		_, gone := os.Stat(dir)
		c, refused := net.Dial("tcp", u.Host)
		if refused == nil {
			_ = c.Close()
		}
		if errors.Is(gone, fs.ErrNotExist) && refused != nil {
			return
		}
		select {
		case <-patience:
			t.Fatalf("left: %s (%v), the server (%v)", dir, gone, refused)
		case <-again.C:
		}
	}
}

const toBeKilled = "CHATWATCH_TEST_TO_BE_KILLED"

// TestProcessToBeKilled is the body of the process that another test kills.
func TestProcessToBeKilled(t *testing.T) {
	if os.Getenv(toBeKilled) == "" {
		return
	}
	fmt.Println(Database(t))
	select {}
}

func TestTheNewestVersionIsTakenAndNoneIsAFailure(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	pattern := filepath.Join(dir, "*", "bin", "initdb")
	if bin, err := programs(pattern); !errors.Is(err, errMissing) {
		t.Errorf("found %q, %v", bin, err)
	}
	for _, version := range []string{"9", "15", "13"} {
		bin := filepath.Join(dir, version, "bin")
		if err := errors.Join(os.MkdirAll(bin, 0o700), os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	if bin, err := programs(pattern); err != nil || bin != filepath.Join(dir, "15", "bin") {
		t.Errorf("found %q, %v", bin, err)
	}
}
