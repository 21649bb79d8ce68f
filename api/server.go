// Package api is the HTTP side of chatwatch: routes, who may call them, strict reading of what comes in, and what each role
// gets to see of what goes out. It asks package command for every change and the projections for every report, and makes no
// rule of its own. Kinds of refusal become HTTP numbers in one table, in problem.go.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/live"
	accesses "github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/snapshot"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// Base is where the interface begins.
const Base = "/v1"

// Config of the HTTP side. Everything but Metrics, Components and Limits is needed.
type Config struct {
	Service *command.Service
	Store   eventstore.Store
	Tokens  *auth.Tokens
	Seals   *auth.Seals
	Hub     *live.Hub // running
	// Progress and the readers are the read models. The readers may be ahead of Progress, never behind.
	Progress    Progress
	Transcripts *transcript.Reader
	Directory   *directory.Reader
	Staffing    *staffing.Reader
	Sessions    *sessions.Reader
	Snapshots   *snapshot.Reader
	Accesses    *accesses.Reader
	Clock       func() time.Time
	Log         *slog.Logger
	Version     string
	Limits      Limits
	// Metrics is where the product's numbers are gathered; a registry of its own when nil.
	Metrics *prometheus.Registry
	// Components are asked by /readyz.
	Components []Component
}

// check names the first part that is missing.
func (c Config) check() error {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{"Service", c.Service == nil}, {"Store", c.Store == nil}, {"Tokens", c.Tokens == nil}, {"Seals", c.Seals == nil},
		{"Hub", c.Hub == nil}, {"Clock", c.Clock == nil}, {"Log", c.Log == nil}, {"Progress", c.Progress == nil},
		{"Transcripts", c.Transcripts == nil}, {"Directory", c.Directory == nil}, {"Staffing", c.Staffing == nil},
		{"Sessions", c.Sessions == nil}, {"Snapshots", c.Snapshots == nil}, {"Accesses", c.Accesses == nil},
	} {
		if part.missing {
			return fmt.Errorf("api: Config.%s is missing", part.name)
		}
	}
	return nil
}

// Limits of what callers can do. Zero values stand for the defaults.
type Limits struct {
	SessionsPerSecond float64       // POST /sessions without a token, an address; 100
	SessionsBurst     int           // 1000
	AfterTimeout      time.Duration // how long Chatwatch-After waits; 5 s
	ReadTimeout       time.Duration // how long a read takes, live streams aside, with a database that does not answer; 15 s
	SessionWait       time.Duration // how long a transcript waits for its session's last event; 2 s
	ListWait          time.Duration // how long lists and the snapshot wait for this node's last write; 250 ms
	Heartbeat         time.Duration // of live streams; 10 s
	SnapshotEvery     time.Duration // the least time between two live snapshots; 500 ms
	CustomerToken     time.Duration // how long a customer's token holds; 24 h
}

func (l Limits) orDefaults() Limits {
	l.SessionsPerSecond = or(l.SessionsPerSecond, 100)
	l.SessionsBurst = or(l.SessionsBurst, 1000)
	l.AfterTimeout = or(l.AfterTimeout, 5*time.Second)
	l.ReadTimeout = or(l.ReadTimeout, 15*time.Second)
	l.SessionWait = or(l.SessionWait, 2*time.Second)
	l.ListWait = or(l.ListWait, 250*time.Millisecond)
	l.Heartbeat = or(l.Heartbeat, 10*time.Second)
	l.SnapshotEvery = or(l.SnapshotEvery, 500*time.Millisecond)
	l.CustomerToken = or(l.CustomerToken, 24*time.Hour)
	return l
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Component is a part that the server needs to work. Check answers in words whether it does; Details are numbers that
// only operators get to see.
type Component struct {
	Name  string
	Check func(context.Context) (details map[string]any, err error)
}

// Server answers HTTP requests.
type Server struct {
	echo *echo.Echo
	*server
}

type server struct {
	Config
	positions auth.Series
	limiter   *limiter
	numbers   *numbers
	document  *huma.OpenAPI
	docs      rendered
	// written is the highest log position that this node has acknowledged of a write, and recorded that of a reading: apart,
	// since nobody but auditors is to wait, however short, because somebody reads.
	written  atomic.Uint64
	recorded atomic.Uint64
	stopping chan struct{}
	stop     sync.Once
}

// New makes the HTTP side.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Limits = c.Limits.orDefaults()
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	limits, err := newLimiter(c.Limits)
	if err != nil {
		return nil, err
	}
	s := &server{Config: c, positions: c.Seals.Series("position", ""), limiter: limits, stopping: make(chan struct{})}
	if s.numbers, err = newNumbers(c.Metrics, c.Hub); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.unrouted
	s.document = newDocument(c.Version)
	for _, op := range s.operations() {
		s.mount(e, op, Base)
	}
	for _, op := range s.outside() {
		s.mount(e, op, "")
		s.route(e, op, Base) // for those who have the base before everything
	}
	if s.docs, err = render(s.document); err != nil {
		return nil, err
	}
	return &Server{echo: e, server: s}, nil
}

// mount makes an operation known to the document and to the router.
func (s *server) mount(e *echo.Echo, op operation, base string) {
	op.document(s.document, base)
	s.route(e, op, base)
}

func (s *server) route(e *echo.Echo, op operation, base string) {
	handle := func(ec echo.Context) error {
		s.serve(&op, ec)
		return nil
	}
	e.Add(op.method, echoPath(base+op.path), handle)
	if !op.writes() && !op.streams() {
		e.Add(http.MethodHead, echoPath(base+op.path), handle) // the server leaves the body out (RFC 9110, 9.3.2)
	}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Close ends every live stream, so that the listener can shut down without waiting for their callers.
func (s *Server) Close() { s.stop.Do(func() { close(s.stopping) }) }

// saw notes a position that this node has acknowledged of a write.
func (s *server) saw(p eventstore.Position) { advance(&s.written, p) }

// advance moves a position on, never back.
func advance(highest *atomic.Uint64, p eventstore.Position) {
	for {
		known := highest.Load()
		if uint64(p) <= known || highest.CompareAndSwap(known, uint64(p)) {
			return
		}
	}
}
