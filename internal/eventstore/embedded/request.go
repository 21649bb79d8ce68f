package embedded

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const maxTypeName = 128 // bytes

// request is an append on its way through the writer.
type request struct {
	ctx      context.Context
	stream   string
	expected eventstore.Expected
	events   []eventstore.Event
	bytes    int

	done     chan struct{} // one slot; filled when the answer stands below
	appended eventstore.Appended
	err      error
}

// take checks an append and makes it the request's own, so that the caller may reuse its slices even when its context
// ends before the writer has come to it.
func (r *request) take(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) error {
	bytes, err := validate(stream, expected, events)
	if err != nil {
		return err
	}
	r.ctx, r.stream, r.expected, r.bytes = ctx, stream, expected, bytes
	r.appended, r.err = eventstore.Appended{}, nil
	r.events = append(r.events[:0], events...)
	memory := make([]byte, 0, bytes)
	for i := range r.events {
		e := &r.events[i]
		memory, e.Data = copied(memory, e.Data)
		memory, e.Metadata = copied(memory, e.Metadata)
	}
	return nil
}

func copied(memory, b []byte) (rest, copy []byte) {
	if len(b) == 0 {
		return memory, nil
	}
	start := len(memory)
	memory = append(memory, b...)
	return memory, memory[start:len(memory):len(memory)]
}

func validate(stream string, expected eventstore.Expected, events []eventstore.Event) (bytes int, err error) {
	switch {
	case stream == "" || len(stream) > eventstore.MaxStreamName || !utf8.ValidString(stream):
		return 0, fmt.Errorf("%w: a stream's name has 1 to %d bytes of UTF-8", eventstore.ErrInvalid, eventstore.MaxStreamName)
	case expected < 0 && expected != eventstore.NoStream && expected != eventstore.Any && expected != eventstore.StreamExists:
		return 0, fmt.Errorf("%w: expected revision %d", eventstore.ErrInvalid, expected)
	case len(events) == 0:
		return 0, fmt.Errorf("%w: an append without events", eventstore.ErrInvalid)
	}
	for i := range events {
		e := &events[i]
		switch {
		case e.ID == uuid.Nil:
			return 0, fmt.Errorf("%w: event %d has no id", eventstore.ErrInvalid, i)
		case e.Type == "" || len(e.Type) > maxTypeName || !utf8.ValidString(e.Type):
			return 0, fmt.Errorf("%w: the type of event %d has 1 to %d bytes of UTF-8", eventstore.ErrInvalid, i, maxTypeName)
		}
		size := len(e.Data) + len(e.Metadata)
		if bytes += size; size > eventstore.MaxEventBytes || bytes > eventstore.MaxAppendBytes {
			return 0, fmt.Errorf("%w: event %d", eventstore.ErrTooLarge, i)
		}
	}
	return bytes, nil
}

// release lets go of the events, which the log's tail shares now.
func (r *request) release() {
	clear(r.events)
	r.ctx, r.stream, r.events = nil, "", r.events[:0]
}
