package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/command"
)

// requests is the namespace of the identities of requests that can be repeated.
var requests = uuid.MustParse("5b0c7c0e-8f0e-4d53-9f1a-6f3a9c1f7d21")

const (
	maxKey       = 255
	maxRequestID = 128
)

// etag of a revision.
func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// nobodysRevision is one that no resource has: that of an entity tag that was not given out here.
const nobodysRevision = -2

// ifMatch reads the condition of a write: nil for none.
func (c *call) ifMatch() (*int64, error) {
	header := strings.TrimSpace(c.http.Header.Get("If-Match"))
	if header == "" || header == "*" {
		return nil, nil
	}
	tag, _ := strings.CutPrefix(header, "W/")
	quoted, isQuoted := strings.CutPrefix(tag, `"`)
	if isQuoted {
		var closed bool
		if tag, closed = strings.CutSuffix(quoted, `"`); !closed {
			return nil, invalid("If-Match is not an entity tag")
		}
	}
	revision := int64(nobodysRevision)
	number, err := strconv.ParseUint(tag, 10, 62)
	switch {
	case err == nil:
		revision = int64(number)
	case !isQuoted:
		return nil, invalid("If-Match is not an entity tag")
	}
	return &revision, nil
}

// notModified tells whether the caller holds this version already.
func (c *call) notModified(tag string) bool {
	for held := range strings.SplitSeq(c.http.Header.Get("If-None-Match"), ",") {
		if held = strings.TrimPrefix(strings.TrimSpace(held), "W/"); held != "" && held == tag {
			return true
		}
	}
	return false
}

// request makes the command of this call upon a resource. A key makes it repeatable: its identity is the same whenever the
// same caller sends the same key to the same resource, and its hash tells whether it asks the same.
func (c *call) request(resource string) (command.Request, error) {
	r := command.Request{Actor: c.actor(), CorrelationID: c.requestID, At: c.at}
	var err error
	if r.IfMatch, err = c.ifMatch(); err != nil {
		return command.Request{}, err
	}
	keys := c.http.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		r.ID = uuid.New()
		return r, nil
	}
	key := keys[0]
	if len(keys) > 1 || key == "" || len(key) > maxKey || !visible(key) {
		return command.Request{}, invalid("Idempotency-Key must be 1 to 255 visible characters")
	}
	who := string(c.who.Role) + "\x00" + c.who.Subject
	if c.anonymous {
		who = "\x00" + c.address()
	}
	r.ID = uuid.NewSHA1(requests, []byte(who+"\x00"+resource+"\x00"+key))
	r.Hash = c.Seals.Hash([]byte(c.http.Method), []byte(c.op.path), []byte(resource), canonical(c.body))
	return r, nil
}

// visible tells whether a text is made of visible ASCII characters.
func visible(s string) bool {
	for _, b := range []byte(s) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// acceptedRequestID is the caller's name for the request, cleaned, or a new one.
func acceptedRequestID(header string) string {
	if header == "" || len(header) > maxRequestID || !visible(header) || strings.ContainsAny(header, `"\<>`) {
		return newRequestID()
	}
	return header
}

func stale() error {
	return rejected(domain.StaleRevision, "the resource is not at the revision of If-Match")
}

// canonical is a body whatever its spaces. A client that sends a request again encodes it the same way.
func canonical(body []byte) []byte {
	var compact bytes.Buffer
	compact.Grow(len(body))
	if json.Compact(&compact, body) != nil {
		return body
	}
	return compact.Bytes()
}
