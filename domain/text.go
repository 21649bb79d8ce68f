package domain

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what people write, in bytes of UTF-8.
const (
	MaxText = 32 << 10 // a message, a question, a note
	MaxName = 256      // the name of a person, queue or profile; an e-mail address; a reason
)

// CheckText rejects a text that is empty, blank, too long, not UTF-8, or holds a NUL (which PostgreSQL cannot store).
// The rejection names the field, never the text.
func CheckText(field, text string, limit int) error {
	if strings.TrimSpace(text) == "" {
		return Reject(InvalidRequest, "%s must not be empty", field).With("field", field)
	}
	return CheckOptionalText(field, text, limit)
}

// CheckOptionalText is CheckText for a field that may be empty.
func CheckOptionalText(field, text string, limit int) error {
	switch {
	case len(text) > limit:
		return Reject(TextTooLarge, "%s is longer than %d bytes", field, limit).With("field", field).With("limit_bytes", limit)
	case !utf8.ValidString(text):
		return Reject(InvalidRequest, "%s is not valid UTF-8", field).With("field", field)
	case strings.ContainsRune(text, 0):
		return Reject(InvalidRequest, "%s holds a NUL character", field).With("field", field)
	}
	return nil
}
