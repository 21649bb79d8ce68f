package embedded

import (
	"context"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

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
	bytes, err := eventstore.CheckAppend(stream, expected, events)
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

// release lets go of the events, which the log's tail shares now.
func (r *request) release() {
	clear(r.events)
	r.ctx, r.stream, r.events = nil, "", r.events[:0]
}
