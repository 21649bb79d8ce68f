package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// statusOf is the one table from kinds of refusal to HTTP numbers.
var statusOf = map[domain.Kind]int{
	domain.Invalid:         http.StatusBadRequest,
	domain.Unauthenticated: http.StatusUnauthorized,
	domain.Forbidden:       http.StatusForbidden,
	domain.NotFound:        http.StatusNotFound,
	domain.Conflict:        http.StatusConflict,
	domain.TooLarge:        http.StatusRequestEntityTooLarge,
	domain.Exhausted:       http.StatusTooManyRequests,
	domain.Unavailable:     http.StatusServiceUnavailable,
}

// codeInternal is what callers learn of a failure of the program.
const codeInternal = "internal"

// problem is an answer of RFC 9457.
type problem struct {
	status int
	code   string
	detail string
	more   map[string]any
	header http.Header
}

func (p *problem) Error() string { return p.code + ": " + p.detail }

// invalid refuses a request that cannot be understood. The detail never repeats what was sent.
func invalid(detail string) *problem {
	return &problem{status: http.StatusBadRequest, code: string(domain.InvalidRequest), detail: detail}
}

func rejected(code domain.Code, detail string) error {
	return &domain.Rejection{Code: code, Detail: detail}
}

var errNotPermitted = rejected(domain.NotPermitted, "the caller may not do this")

func errNotFound(what string) error { return rejected(domain.Missing, "no such "+what) }

// problemOf translates every error, once. The second result says that the error is a failure and has to be logged.
func problemOf(err error) (p *problem, failure bool) {
	if errors.As(err, &p) {
		return p, false
	}
	if r, ok := errors.AsType[*domain.Rejection](err); ok {
		return ofRejection(r), false
	}
	unavailable := &problem{
		status: http.StatusServiceUnavailable, code: string(domain.ServiceUnavailable), detail: "try again in a moment",
		header: http.Header{"Retry-After": {"1"}},
	}
	switch {
	case errors.Is(err, context.Canceled): // the caller is gone, or the server is going
		return unavailable, false
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrClosed),
		errors.Is(err, readstore.ErrUnavailable), errors.Is(err, readstore.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return unavailable, true
	case errors.Is(err, eventstore.ErrTooLarge):
		return ofRejection(domain.Reject(domain.TextTooLarge, "the request is too large")), false
	}
	return &problem{status: http.StatusInternalServerError, code: codeInternal, detail: "something went wrong on our side"}, true
}

func ofRejection(r *domain.Rejection) *problem {
	p := &problem{status: statusOf[r.Kind()], code: string(r.Code), detail: r.Detail, more: r.Data}
	switch r.Kind() {
	case domain.Unauthenticated:
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="chatwatch"`}}
	case domain.Exhausted, domain.Unavailable:
		p.header = http.Header{"Retry-After": {"1"}}
	}
	if p.status == 0 {
		p.status = http.StatusInternalServerError
	}
	return p
}

// titleOf makes the sentence of a code: the same for every occurrence.
func titleOf(code string) string {
	words := strings.ReplaceAll(code, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// MarshalJSON puts the members of the refusal beside those of the standard.
func (p *problem) MarshalJSON() ([]byte, error) {
	members := map[string]any{}
	maps.Copy(members, p.more)
	members["type"] = "urn:chatwatch:problem:" + p.code
	members["title"] = titleOf(p.code)
	members["status"] = p.status
	members["detail"] = p.detail
	members["code"] = p.code
	return json.Marshal(members)
}

func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"type":"about:blank","status":500,"code":"internal"}`)
	}
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Del("Etag")
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the caller may be gone
}

// problemBody describes a problem in the OpenAPI document.
type problemBody struct {
	Type   string `json:"type" doc:"A URN of the code"`
	Title  string `json:"title" doc:"The code in words"`
	Status int    `json:"status" doc:"The HTTP status"`
	Detail string `json:"detail" doc:"What happened this time"`
	Code   string `json:"code" doc:"Stable, for programs to act on" example:"no_idle_session"`
	// Of projection_behind.
	Wanted  string `json:"wanted,omitempty" doc:"With projection_behind: the position that was asked for, as a Chatwatch-Position"`
	Reached string `json:"reached,omitempty" doc:"With projection_behind: the position that the report holds, as a Chatwatch-Position"`
}
