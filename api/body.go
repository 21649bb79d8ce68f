package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/chatwatch/chatwatch/domain"
)

// Bounds of a request's body.
const (
	maxBody = 256 << 10
	// maxDrain is how much more is read and thrown away, so that the caller gets the answer and no broken connection.
	maxDrain = 4 << 20
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxBody {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody fills a buffer with the body of a request.
func readBody(r *http.Request, into *bytes.Buffer) error {
	if r.ContentLength > maxBody {
		return tooLarge(r.Body)
	}
	n, err := into.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return invalid("the body could not be read")
	}
	if n > maxBody {
		return tooLarge(r.Body)
	}
	return nil
}

func tooLarge(rest io.Reader) error {
	_, _ = io.CopyN(io.Discard, rest, maxDrain)
	return domain.Reject(domain.TextTooLarge, "the body is longer than %d bytes", maxBody).With("limit_bytes", maxBody)
}

// decode reads JSON strictly: an object in valid UTF-8, of known fields with the right types, and nothing after it.
func decode(raw []byte, into any) error {
	if !utf8.Valid(raw) {
		return invalid("the body is not valid UTF-8")
	}
	if loneSurrogate(raw) {
		return invalid("the body holds half of a surrogate pair")
	}
	if trimmed := bytes.TrimLeft(raw, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return invalid("the body must be a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return invalid(explain(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalid("the body goes on after the JSON object")
	}
	return nil
}

// explain says what is wrong with a body without repeating any of its values.
func explain(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return "the body has the wrong type"
		}
		return fmt.Sprintf("%s has the wrong type or is out of range", wrong.Field)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body is not JSON"
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok && len(name) <= domain.MaxIDLength {
		return "the body has an unknown field " + name
	}
	return "the body cannot be read as JSON of this kind"
}

// loneSurrogate finds \ud800..\udfff escapes that are not a pair: the decoder would replace them without a word.
func loneSurrogate(raw []byte) bool {
	if !bytes.Contains(raw, []byte(`\u`)) {
		return false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		switch kind := surrogate(raw[i:]); {
		case kind == 'l':
			return true
		case kind == 'h' && surrogate(raw[i+6:]) != 'l':
			return true
		case kind == 'h':
			i += 11
		default:
			i++
		}
	}
	return false
}

// surrogate tells whether an escape is the high or the low half of a pair: 'h', 'l' or 0.
func surrogate(escape []byte) byte {
	if len(escape) < 6 || escape[0] != '\\' || escape[1] != 'u' || escape[2]|0x20 != 'd' {
		return 0
	}
	switch escape[3] | 0x20 {
	case '8', '9', 'a', 'b':
		return 'h'
	case 'c', 'd', 'e', 'f':
		return 'l'
	}
	return 0
}

// checkMediaType refuses a body that does not say that it is JSON. Saying nothing will do.
func checkMediaType(header string) error {
	if header == "" || header == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" {
		return &problem{
			status: http.StatusUnsupportedMediaType, code: string(domain.InvalidRequest), detail: "the body must be application/json in UTF-8",
		}
	}
	return nil
}
