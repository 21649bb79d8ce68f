package feed

import (
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Batches collects the messages of a subscription into batches, for consumers that commit many events at once: up to
// so many as lie ready, never waiting to fill one. It is used by one goroutine.
type Batches struct {
	messages <-chan *message.Message
	max      int
	held     *Batch // collected, and not yet acknowledged or refused
	skip     bool   // until the message with this number, everything is void: a batch was refused
	from     uint64
}

// Batch is events to be committed together with Position, and then acknowledged.
type Batch struct {
	Events []eventstore.Recorded
	// Progress with this batch. Position is at least that of the last event, and beyond it when Config.Markers lets
	// news without events through.
	Progress

	batches  *Batches
	messages []*message.Message
}

// NewBatches collects what sub delivers of a topic until ctx ends or sub is closed. A batch is no larger than max and
// than the window of sub, which should be twice max, so that the next batch gathers while one is committed.
func NewBatches(ctx context.Context, sub message.Subscriber, topic string, max int) (*Batches, error) {
	messages, err := sub.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	return &Batches{messages: messages, max: max}, nil
}

// Next waits for the next batch. The one before has been acknowledged or refused; otherwise it is refused now. It ends
// with ErrClosed when the subscription has ended.
func (b *Batches) Next(ctx context.Context) (*Batch, error) {
	if b.held != nil {
		b.held.Nack()
	}
	batch := &Batch{batches: b}
	for len(batch.messages) == 0 {
		select {
		case msg, ok := <-b.messages:
			if err := b.take(batch, msg, ok); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	b.held = batch
	for len(batch.messages) < b.max {
		select {
		case msg, ok := <-b.messages:
			if !ok {
				return batch, nil // the next call tells
			}
			if err := b.take(batch, msg, ok); err != nil {
				return nil, err
			}
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// take adds a message to a batch, unless it is void.
func (b *Batches) take(batch *Batch, msg *message.Message, ok bool) error {
	if !ok {
		return ErrClosed
	}
	i, ok := itemOf(msg)
	if !ok {
		return fmt.Errorf("feed: message %s is not of a feed", msg.UUID)
	}
	if b.skip && i.seq != b.from {
		return nil
	}
	b.skip = false
	batch.messages = append(batch.messages, msg)
	batch.Progress = i.progress
	if !i.marker() {
		batch.Events = append(batch.Events, i.event)
	}
	return nil
}

// Ack acknowledges the batch: its events and its position have been committed.
func (b *Batch) Ack() {
	b.batches.held = nil
	for _, msg := range b.messages {
		msg.Ack()
	}
}

// Nack refuses the batch: its events come again, in order, after a pause.
func (b *Batch) Nack() {
	b.batches.held = nil
	first := b.messages[0]
	i, _ := itemOf(first)
	b.batches.skip, b.batches.from = true, i.seq
	first.Nack()
}
