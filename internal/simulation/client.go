package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// errUnreachable stands in errors of requests that got no answer for as long as they were tried.
var errUnreachable = errors.New("the server cannot be reached")

// client sends requests, and sends them again.
type client struct {
	base     string // with /v1
	http     *http.Client
	streams  *http.Client // without a limit of time
	retryFor time.Duration
	stats    *stats
}

func newClient(cfg Config, s *stats) *client {
	connections := cfg.Parallel + cfg.Agents + cfg.Supervisors
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // it would cost both sides more than it saves
	}
	return &client{
		base:     strings.TrimRight(cfg.BaseURL, "/") + "/v1",
		http:     &http.Client{Transport: transport, Timeout: cfg.RequestTimeout},
		streams:  &http.Client{Transport: transport},
		retryFor: cfg.RetryFor,
		stats:    s,
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call is one request. A call with another method than GET gets an idempotency key that all its attempts share.
type call struct {
	kind         kind
	method, path string // the path without /v1
	token        string // empty for none
	body         []byte // JSON; nil for none
	after        string // the position that a read waits for
	into         any    // where the JSON of the answer goes; nil to drop it
	raw          *[]byte
}

// write makes a call that changes something.
func write(k kind, path, token string, body []byte) call {
	return call{kind: k, method: http.MethodPost, path: path, token: token, body: body}
}

// do sends the call until it is answered, and returns the position in the log that the answer names.
func (c *client) do(ctx context.Context, call call) (position string, err error) {
	var key string
	if call.method != http.MethodGet {
		key = uuid.NewString()
	}
	began := time.Now()
	for attempt := 0; ; attempt++ {
		position, err = c.once(ctx, call, key)
		if err == nil {
			c.stats.latency[call.kind].record(time.Since(began))
			return position, nil
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if !passing(err) {
			return "", fmt.Errorf("%s: %w", call.kind, err)
		}
		wait := pauseBefore(attempt, err)
		if time.Since(began)+wait > c.retryFor {
			return "", fmt.Errorf("%s, given up after %s: %w", call.kind, c.retryFor, err)
		}
		c.stats.countRetry(codeOf(err))
		if err := pause(ctx, wait); err != nil {
			return "", err
		}
	}
}

func (c *client) once(ctx context.Context, call call, key string) (position string, err error) {
	req, err := c.request(ctx, call, key)
	if err != nil {
		return "", err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", unreachable(err)
	}
	defer func() { _ = res.Body.Close() }() // what was wanted has been read
	if res.StatusCode < 200 || res.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // a refusal without its body is one still
		return "", refusalOf(res, body, time.Now())
	}
	if err := call.take(res.Body); err != nil {
		return "", err
	}
	return res.Header.Get("Chatwatch-Position"), nil
}

func (c *client) request(ctx context.Context, call call, key string) (*http.Request, error) {
	var body io.Reader
	if call.body != nil {
		body = bytes.NewReader(call.body)
	}
	req, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path, body)
	if err != nil {
		return nil, err
	}
	if call.body != nil {
		req.Header["Content-Type"] = jsonType
	}
	if call.token != "" {
		req.Header["Authorization"] = []string{"Bearer " + call.token}
	}
	if key != "" {
		req.Header["Idempotency-Key"] = []string{key}
	}
	if call.after != "" {
		req.Header["Chatwatch-After"] = []string{call.after}
	}
	return req, nil
}

var jsonType = []string{"application/json"}

// take reads the body to its end, so that the connection can be used again.
func (call call) take(body io.Reader) error {
	if call.into == nil && call.raw == nil {
		if _, err := io.Copy(io.Discard, body); err != nil {
			return unreachable(err)
		}
		return nil
	}
	all, err := io.ReadAll(body)
	if err != nil {
		return unreachable(err)
	}
	if call.raw != nil {
		*call.raw = all
	}
	if call.into == nil {
		return nil
	}
	if err := json.Unmarshal(all, call.into); err != nil {
		return &Refusal{Status: http.StatusOK, Code: "answer_not_understood"}
	}
	return nil
}

// unreachable keeps what went wrong and drops the address, which can hold an id.
func unreachable(err error) error {
	if bad, ok := errors.AsType[*url.Error](err); ok {
		err = bad.Err
	}
	return fmt.Errorf("%w: %w", errUnreachable, err)
}

// encode makes the body of a request.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps, strings, numbers and booleans are encoded here
	}
	return body
}
