package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
)

// serve takes a request through everything that all have in common.
func (s *server) serve(op *operation, ec echo.Context) {
	c := s.begin(op, ec)
	started := time.Now()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.ErrorContext(c.ctx(), "a request panicked", "route", op.path, "request_id", c.requestID, "panic", nameless(p), "stack", string(debug.Stack()))
			c.refuse(&problem{status: http.StatusInternalServerError, code: codeInternal, detail: "something went wrong on our side"})
		}
		s.finish(c, ec.Response(), started)
	}()
	buffer := buffers.Get().(*bytes.Buffer)
	defer putBuffer(buffer)
	if err := c.carryOut(buffer); err != nil {
		p, failure := problemOf(err)
		if failure {
			s.Log.ErrorContext(c.ctx(), "a request failed", "route", op.path, "request_id", c.requestID, "error", err)
		}
		c.refuse(p)
	}
}

// nameless describes a panic without its value, which might hold what somebody wrote.
func nameless(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}

func (s *server) begin(op *operation, ec echo.Context) *call {
	c := &call{
		server: s, op: op, http: ec.Request(), out: ec.Response(), echo: ec,
		at: s.Clock().UTC().Truncate(time.Microsecond), requestID: acceptedRequestID(ec.Request().Header.Get("X-Request-Id")),
	}
	h := c.out.Header()
	c.head("X-Request-Id", c.requestID)
	h["X-Content-Type-Options"] = noSniff
	h["X-Frame-Options"] = deny
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = nothingElse
	h["Cache-Control"] = noStore
	return c
}

// The security headers of every answer.
var (
	noSniff     = []string{"nosniff"}
	deny        = []string{"DENY"}
	noReferrer  = []string{"no-referrer"}
	noStore     = []string{"no-store"}
	nothingElse = []string{"default-src 'none'; frame-ancestors 'none'"}
)

func (c *call) carryOut(buffer *bytes.Buffer) error {
	if err := c.authenticate(); err != nil {
		return err
	}
	if c.op.writes() {
		if err := readBody(c.http, buffer); err != nil {
			return err
		}
		c.body = buffer.Bytes()
	} else if err := c.readAfter(); err != nil {
		return err
	}
	if !c.op.writes() && !c.op.streams() {
		ctx, cancel := context.WithTimeout(c.ctx(), c.Limits.ReadTimeout)
		defer cancel()
		c.http = c.http.WithContext(ctx)
	}
	r, err := c.op.handle(c)
	if err != nil || r == nil {
		return err
	}
	if r.wrote {
		c.saw(r.position)
	}
	return c.answer(r)
}

// authenticate finds out who asks, and whether somebody in that role may call the operation at all.
func (c *call) authenticate() error {
	header := c.http.Header["Authorization"]
	if len(header) == 0 {
		c.anonymous = true
		if len(c.op.roles) > 0 {
			return rejected(domain.NotAuthenticated, "a bearer token is needed")
		}
		return nil
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return rejected(domain.NotAuthenticated, "the Authorization header must hold one bearer token")
	}
	who, err := c.Tokens.Verify(strings.TrimSpace(token))
	if err != nil {
		if !errors.Is(err, auth.ErrUnauthenticated) {
			return err
		}
		return rejected(domain.NotAuthenticated, "the bearer token is not valid or has expired")
	}
	c.who = who
	if len(c.op.roles) > 0 && !c.is(c.op.roles...) {
		return errNotPermitted
	}
	return nil
}

// refuse answers with a problem, unless an answer is on its way already.
func (c *call) refuse(p *problem) {
	if !c.echo.Response().Committed {
		p.write(c.out)
	}
}

// finish counts and logs a request: never a body, a name, a token or a query.
func (s *server) finish(c *call, out *echo.Response, started time.Time) {
	took := time.Since(started)
	s.numbers.request(c.op, out.Status, took)
	level := slog.LevelDebug
	switch {
	case out.Status >= http.StatusInternalServerError:
		level = slog.LevelWarn
	case out.Status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if s.Log.Enabled(c.ctx(), level) {
		s.Log.LogAttrs(c.ctx(), level, "request", slog.String("method", c.op.method), slog.String("route", c.op.path),
			slog.Int("status", out.Status), slog.Duration("took", took), slog.String("request_id", c.requestID))
	}
}

// unrouted answers what no route takes: an unknown path, a wrong method.
func (s *server) unrouted(err error, ec echo.Context) {
	op := &operation{id: "unrouted", method: "other", path: "unrouted", handle: func(*call) (*reply, error) { return nil, errNotFound("route") }}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code == http.StatusMethodNotAllowed {
		allow, _ := ec.Get(echo.ContextKeyHeaderAllow).(string)
		op.handle = func(*call) (*reply, error) {
			return nil, &problem{
				status: http.StatusMethodNotAllowed, code: string(domain.InvalidRequest), detail: "the method is not allowed here",
				header: http.Header{"Allow": {allow}},
			}
		}
	}
	ec.Request().Header.Del("Authorization") // whoever it is, there is nothing here
	ec.Request().Body = http.NoBody
	s.serve(op, ec)
}

// echoPath turns {name} into :name.
func echoPath(path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")
}

// values of the query. What is malformed is left out, and refused by checkQuery.
func (c *call) values() url.Values {
	if c.parsed == nil {
		c.parsed, c.malformed = url.ParseQuery(c.http.URL.RawQuery)
	}
	return c.parsed
}

// address of the caller's network: of IPv6 the part that one subscriber usually has whole.
func (c *call) address() string {
	host, _, err := net.SplitHostPort(c.http.RemoteAddr)
	if err != nil {
		return c.http.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

func newRequestID() string { return strconv.FormatUint(rand.Uint64()|1<<60, 36) }
