package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Metadata that a message carries of its event, besides the event's own, which it overrides.
const (
	StreamKey     = "stream"
	RevisionKey   = "revision"
	PositionKey   = "position"
	TypeKey       = "type"
	RecordedAtKey = "recorded_at" // RFC 3339 with nanoseconds, UTC
)

type itemKey struct{}

// item is what a message delivers: an event, or news without one.
type item struct {
	event    eventstore.Recorded // no event when its position is 0
	progress Progress
	seq      uint64 // counts the items of a subscription; a redelivery has the same
}

func (i *item) marker() bool { return i.event.Position == eventstore.Start }

// messageContext is the context of a message: it ends when the message has been acknowledged or refused, or with the
// subscription. It makes its channel only for those who ask, which the consumer of a batch does not.
type messageContext struct {
	context.Context // of the subscription
	item            *item

	mu    sync.Mutex
	done  chan struct{}
	stop  func() bool // takes back what Done asked of the subscription's context
	ended bool
}

func (c *messageContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended {
			close(c.done)
		} else {
			c.stop = context.AfterFunc(c.Context, c.end)
		}
	}
	return c.done
}

func (c *messageContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return context.Canceled
	}
	return c.Context.Err()
}

func (c *messageContext) Value(key any) any {
	if _, ok := key.(itemKey); ok {
		return c.item
	}
	return c.Context.Value(key)
}

func (c *messageContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && c.done != nil {
		close(c.done)
		c.stop()
	}
	c.ended = true
}

func itemOf(msg *message.Message) (*item, bool) {
	i, ok := msg.Context().Value(itemKey{}).(*item)
	return i, ok
}

// newMessage makes the message of an item.
func newMessage(ctx *messageContext, bare bool) *message.Message {
	i := ctx.item
	if i.marker() {
		msg := message.NewMessage("", nil)
		msg.SetContext(ctx)
		return msg
	}
	msg := message.NewMessage(i.event.ID.String(), i.event.Data)
	msg.SetContext(ctx)
	if !bare {
		fillMetadata(msg.Metadata, &i.event)
	}
	return msg
}

func fillMetadata(m message.Metadata, e *eventstore.Recorded) {
	if len(e.Metadata) > 0 {
		own := map[string]string(m)
		_ = json.Unmarshal(e.Metadata, &own) // what is not a flat map of strings stays with EventOf
	}
	m[StreamKey] = e.Stream
	m[RevisionKey] = strconv.FormatUint(e.Revision, 10)
	m[PositionKey] = strconv.FormatUint(uint64(e.Position), 10)
	m[TypeKey] = e.Type
	m[RecordedAtKey] = e.RecordedAt.Format(time.RFC3339Nano)
}

// EventOf gives the event of a message: from its context where it comes from a Subscriber of this process, otherwise
// from its metadata and payload. A marker has none, which is an error.
func EventOf(msg *message.Message) (eventstore.Recorded, error) {
	if i, ok := itemOf(msg); ok {
		if i.marker() {
			return eventstore.Recorded{}, fmt.Errorf("feed: a marker at position %d has no event", i.progress.Position)
		}
		return i.event, nil
	}
	return eventFromMetadata(msg)
}

func eventFromMetadata(msg *message.Message) (eventstore.Recorded, error) {
	var e eventstore.Recorded
	var errs [4]error
	e.ID, errs[0] = uuid.Parse(msg.UUID)
	e.Revision, errs[1] = strconv.ParseUint(msg.Metadata.Get(RevisionKey), 10, 64)
	position, err := strconv.ParseUint(msg.Metadata.Get(PositionKey), 10, 64)
	errs[2] = err
	e.RecordedAt, errs[3] = time.Parse(time.RFC3339Nano, msg.Metadata.Get(RecordedAtKey))
	for _, err := range errs {
		if err != nil {
			return eventstore.Recorded{}, fmt.Errorf("feed: message %s does not carry an event: %w", msg.UUID, err)
		}
	}
	e.Position = eventstore.Position(position)
	e.Stream, e.Type, e.Data = msg.Metadata.Get(StreamKey), msg.Metadata.Get(TypeKey), msg.Payload
	own := make(map[string]string, len(msg.Metadata))
	for k, v := range msg.Metadata {
		switch k {
		case StreamKey, RevisionKey, PositionKey, TypeKey, RecordedAtKey:
		default:
			own[k] = v
		}
	}
	if e.Metadata, err = json.Marshal(own); err != nil {
		return eventstore.Recorded{}, fmt.Errorf("feed: message %s: %w", msg.UUID, err)
	}
	return e, nil
}
