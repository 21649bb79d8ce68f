package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// call is one request on its way through.
type call struct {
	*server
	op   *operation
	http *http.Request
	out  http.ResponseWriter
	echo echo.Context
	// who asks; anonymous when they sent no token, which only open operations allow.
	who       auth.Identity
	anonymous bool
	requestID string
	at        time.Time           // UTC, whole microseconds as the log keeps them
	body      []byte              // valid until the handler returns
	wanted    eventstore.Position // of Chatwatch-After
	headers   [8]string           // values of the answer's headers, in one piece of memory
	headed    int
	parsed    url.Values
	malformed error // of the query
}

func (c *call) ctx() context.Context { return c.http.Context() }

func (c *call) actor() domain.Actor { return c.who.Actor() }

func (c *call) is(roles ...domain.Role) bool {
	for _, r := range roles {
		if !c.anonymous && c.who.Role == r {
			return true
		}
	}
	return false
}

// decode reads the body of the request into a value. An optional body may be absent.
func (c *call) decode(into any) error {
	if len(bytes.TrimLeft(c.body, " \t\r\n")) == 0 {
		if c.op.optionalBody {
			return nil
		}
		return invalid("the body is missing")
	}
	if err := checkMediaType(c.http.Header.Get("Content-Type")); err != nil {
		return err
	}
	return decode(c.body, into)
}

// reply is what a handler answers; a nil one says that it has answered already.
type reply struct {
	status   int // 200 when zero
	body     any // sent as JSON
	etag     string
	position eventstore.Position // of a write
	wrote    bool                // the answer is to a write
	replayed bool                // and the write had been made before
	// raw is sent instead of body, as media.
	raw   []byte
	media string
}

func ok(body any) *reply { return &reply{body: body} }

func (c *call) answer(r *reply) error {
	if r.wrote {
		c.head("Chatwatch-Position", c.positions.SealSalted(uint64(r.position)))
	}
	if r.replayed {
		c.head("Idempotent-Replayed", "true")
	}
	if r.etag != "" {
		c.head("Etag", r.etag)
	}
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	if status == http.StatusNotModified {
		c.out.WriteHeader(status)
		return nil
	}
	if r.media != "" {
		return c.send(status, r.media, r.raw)
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer putBuffer(buffer)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.body); err != nil {
		return fmt.Errorf("encode the answer of %s: %w", c.op.id, err)
	}
	return c.send(status, "application/json", buffer.Bytes())
}

// head sets a header of the answer, whose name is in canonical form.
func (c *call) head(name, value string) {
	if c.headed == len(c.headers) {
		c.out.Header()[name] = []string{value}
		return
	}
	c.headers[c.headed] = value
	c.headed++
	c.out.Header()[name] = c.headers[c.headed-1 : c.headed : c.headed]
}

func (c *call) send(status int, media string, body []byte) error {
	c.head("Content-Type", media)
	c.head("Content-Length", strconv.Itoa(len(body)))
	c.out.WriteHeader(status)
	_, _ = c.out.Write(body) // the caller may be gone
	return nil
}

// timestamp is a time as it is given out: UTC with milliseconds. The zero time is null.
type timestamp time.Time

const timestampFormat = "2006-01-02T15:04:05.000Z"

func (t timestamp) String() string { return time.Time(t).UTC().Format(timestampFormat) }

// MarshalJSON writes the time as a string, or null.
func (t timestamp) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	b := make([]byte, 0, len(timestampFormat)+2)
	b = append(b, '"')
	b = time.Time(t).UTC().AppendFormat(b, timestampFormat)
	return append(b, '"'), nil
}

// IsZero lets the encoder leave out a time that has not come.
func (t timestamp) IsZero() bool { return time.Time(t).IsZero() }
