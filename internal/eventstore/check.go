package eventstore

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Bounds of an append that every implementation enforces with ErrTooLarge or ErrInvalid.
const (
	MaxEventBytes  = 1 << 20 // data and metadata of one event
	MaxAppendBytes = 8 << 20 // one append
	MaxStreamName  = 256     // bytes
	MaxTypeName    = 128     // bytes
)

// CheckAppend tells whether an append is one that a store may take, and how many bytes its events have. Errors:
// ErrInvalid, ErrTooLarge.
func CheckAppend(stream string, expected Expected, events []Event) (bytes int, err error) {
	switch {
	case stream == "" || len(stream) > MaxStreamName || !utf8.ValidString(stream):
		return 0, fmt.Errorf("%w: a stream's name has 1 to %d bytes of UTF-8", ErrInvalid, MaxStreamName)
	case expected < 0 && expected != NoStream && expected != Any && expected != StreamExists:
		return 0, fmt.Errorf("%w: expected revision %d", ErrInvalid, expected)
	case len(events) == 0:
		return 0, fmt.Errorf("%w: an append without events", ErrInvalid)
	}
	for i := range events {
		e := &events[i]
		switch {
		case e.ID == uuid.Nil:
			return 0, fmt.Errorf("%w: event %d has no id", ErrInvalid, i)
		case e.Type == "" || len(e.Type) > MaxTypeName || !utf8.ValidString(e.Type):
			return 0, fmt.Errorf("%w: the type of event %d has 1 to %d bytes of UTF-8", ErrInvalid, i, MaxTypeName)
		}
		size := len(e.Data) + len(e.Metadata)
		if bytes += size; size > MaxEventBytes || bytes > MaxAppendBytes {
			return 0, fmt.Errorf("%w: event %d", ErrTooLarge, i)
		}
	}
	return bytes, nil
}

// Reaches tells whether a log goes as far as a position: false for one that was restored from an older copy.
func Reaches(ctx context.Context, s Store, position Position) (bool, error) {
	sub, err := s.Subscribe(ctx, position, Filter{})
	if errors.Is(err, ErrInvalid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, sub.Close()
}
