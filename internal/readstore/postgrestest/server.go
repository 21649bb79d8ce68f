package postgrestest

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Durable is the setting of a cluster that waits for the disk, as one in production does.
const Durable = "fsync=on"

// Server is a cluster of PostgreSQL on this machine, on which everybody is trusted. It obeys one caller at a time.
type Server struct {
	dir      string
	port     int
	watchdog *exec.Cmd
	commands io.WriteCloser
	answers  *bufio.Reader
}

// Cluster starts a cluster of its own for the duration of a test, with further settings as in postgresql.conf, such as
// "wal_level=logical".
func Cluster(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := launch(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// URL connects as the superuser postgres to the database of that name. It stays the same when the server is started again.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Stop ends every connection and then the server, in order ("fast"); it returns when it has ended.
func (s *Server) Stop(t testing.TB) { s.must(t, "stop fast") }

// Crash ends the server at once ("immediate"); it recovers from its log at the next start.
func (s *Server) Crash(t testing.TB) { s.must(t, "stop immediate") }

// Start starts the server after Stop or Crash; it returns when connections are accepted.
func (s *Server) Start(t testing.TB) { s.must(t, "start") }

func (s *Server) must(t testing.TB, command string) {
	t.Helper()
	if err := s.obey(command); err != nil {
		t.Fatal(err)
	}
}

// launch makes a cluster and starts it.
func launch(settings ...string) (*Server, error) {
	bin, err := programs(debian)
	if err != nil {
		return nil, err
	}
	s, err := watch(bin)
	if err != nil {
		return nil, err
	}
	if err := s.establish(settings); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

//go:embed watchdog.sh
var script string

// watch starts the watchdog of a new cluster. It runs as the cluster's owner in a session of its own, which the terminal's
// interrupt does not reach.
func watch(bin string) (*Server, error) {
	dir, err := os.MkdirTemp("", "chatwatch-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, watchdog: exec.Command("/bin/sh", "-c", script, "watchdog", bin, dir)}
	s.watchdog.Dir = dir
	s.watchdog.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	s.watchdog.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		owner := unprivileged()
		s.watchdog.SysProcAttr.Credential = owner
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	err = errors.Join(err, s.connect())
	if err == nil {
		err = s.watchdog.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch over a cluster in %s: %w", dir, err), os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) connect() error {
	commands, err := s.watchdog.StdinPipe()
	if err != nil {
		return err
	}
	answers, err := s.watchdog.StdoutPipe()
	s.commands, s.answers = commands, bufio.NewReader(answers)
	return err
}

func (s *Server) establish(settings []string) error {
	if err := s.obey("init"); err != nil {
		return err
	}
	var err error
	for range 3 { // in case that another process takes the port before the server does
		if err = s.configure(settings); err != nil {
			return err
		}
		if err = s.obey("start"); err == nil {
			return nil
		}
	}
	return err
}

// configure adds to the settings; of one that is given twice the last holds.
func (s *Server) configure(settings []string) error {
	port, err := free()
	if err != nil {
		return err
	}
	s.port = port
	all := append([]string{
		"listen_addresses='127.0.0.1'", fmt.Sprintf("port=%d", port), "unix_socket_directories=''",
		"max_connections=100", "shared_buffers=64MB", "fsync=off",
	}, settings...)
	f, err := os.OpenFile(filepath.Join(s.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, "\n"+strings.Join(all, "\n"))
	return errors.Join(err, f.Close())
}

// free finds a port below those that the kernel hands out, so that nobody is given it while the server is stopped.
func free() (int, error) {
	var err error
	for range 100 {
		var l net.Listener
		port := 20000 + rand.IntN(10000)
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// obey has the watchdog carry out a command and returns what PostgreSQL said when it failed.
func (s *Server) obey(command string) error {
	_, err := fmt.Fprintln(s.commands, command)
	if err == nil {
		var answer string
		if answer, err = s.answers.ReadString('\n'); err == nil && answer == "0\n" {
			return nil
		}
	}
	said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return errors.Join(fmt.Errorf("PostgreSQL: %s failed:\n%s", command, said[max(0, len(said)-4096):]), err)
}

func (s *Server) close() {
	_ = s.commands.Close()
	_ = s.watchdog.Wait()
}
