package feed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
)

func newStore(t testing.TB) eventstore.Store {
	t.Helper()
	return teststore.Open(t)
}

// appendEvents appends n events to a stream, one an append, with their number as data.
func appendEvents(t testing.TB, s eventstore.Store, stream string, n int) []eventstore.Appended {
	t.Helper()
	var at []eventstore.Appended
	for i := range n {
		got, err := s.Append(context.Background(), stream, eventstore.Any, []eventstore.Event{newEvent(i)})
		if err != nil {
			t.Error(err)
			return at
		}
		at = append(at, got)
	}
	return at
}

func newEvent(i int) eventstore.Event {
	return eventstore.Event{
		ID: uuid.New(), Type: "Happened", Data: fmt.Append(nil, i), Metadata: []byte(`{"actor":"agent-7","type":"x"}`),
	}
}

// publisher appends messages to streams of a topic: what the universal suite needs to test a subscriber.
type publisher struct{ store eventstore.Store }

func (p publisher) Publish(topic string, messages ...*message.Message) error {
	for _, msg := range messages {
		metadata, err := json.Marshal(msg.Metadata)
		if err != nil {
			return err
		}
		id, err := uuid.Parse(msg.UUID)
		if err != nil {
			return err
		}
		e := eventstore.Event{ID: id, Type: "Published", Data: msg.Payload, Metadata: metadata}
		if _, err := p.store.Append(msg.Context(), topic+"|all", eventstore.Any, []eventstore.Event{e}); err != nil {
			return err
		}
	}
	return nil
}

func (publisher) Close() error { return nil }

// faultyStore loses a subscription after every few batches, and refuses some that are made.
type faultyStore struct {
	eventstore.Store
	every int
	made  atomic.Int32
	calls chan struct{} // told of every loss
}

func (s *faultyStore) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) (eventstore.Subscription, error) {
	sub, err := s.Store.Subscribe(ctx, after, f)
	if err != nil {
		return nil, err
	}
	if s.made.Add(1)%3 == 0 {
		_ = sub.Close()
		return nil, fmt.Errorf("no connection: %w", eventstore.ErrUnavailable)
	}
	return &faultySubscription{Subscription: sub, store: s, left: s.every}, nil
}

type faultySubscription struct {
	eventstore.Subscription
	store *faultyStore
	left  int
}

func (s *faultySubscription) Next(ctx context.Context) (eventstore.Batch, error) {
	if s.left--; s.left < 0 {
		select {
		case s.store.calls <- struct{}{}:
		default:
		}
		return eventstore.Batch{}, fmt.Errorf("connection lost: %w", eventstore.ErrUnavailable)
	}
	return s.Subscription.Next(ctx)
}
