package feed_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

func newBatches(t testing.TB, s eventstore.Store, cfg feed.Config, max int) *feed.Batches {
	t.Helper()
	sub := feed.New(s, cfg)
	t.Cleanup(func() { _ = sub.Close() })
	b, err := feed.NewBatches(context.Background(), sub, topic, max)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func next(t testing.TB, b *feed.Batches) *feed.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	batch, err := b.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestRefusedBatchesComeAgainInOrderAcrossLostSubscriptions(t *testing.T) {
	const events = 2000
	s := &faultyStore{Store: newStore(t), every: 3, calls: make(chan struct{}, 1)}
	go func() {
		appendEvents(t, s, "session-1", events/2)
		appendEvents(t, s, "queue-1", 10)
		appendEvents(t, s, "session-1", events/2)
	}()
	b := newBatches(t, s, feed.Config{Window: 32, Bare: true, Markers: true, Resubscribe: fast, Redeliver: fast}, 20)
	random := rand.New(rand.NewPCG(1, 2))
	committed := uint64(0)
	at := eventstore.Start
	for committed < events {
		batch := next(t, b)
		if batch.Position < at {
			t.Fatalf("position went from %d back to %d", at, batch.Position)
		}
		for i, e := range batch.Events {
			if e.Revision != committed+uint64(i) {
				t.Fatalf("event %d came as number %d", e.Revision, committed+uint64(i))
			}
		}
		switch random.IntN(4) {
		case 0:
			batch.Nack()
		case 1: // forgotten, which is a refusal
		default:
			committed += uint64(len(batch.Events))
			at = batch.Position
			batch.Ack()
		}
	}
}

func TestBatchTellsProgressWithoutEventsAndWhenItCaughtUp(t *testing.T) {
	s := teststore.Embedded(t) // which tells progress at once
	b := newBatches(t, s, feed.Config{Window: 10, Markers: true}, 10)
	for {
		if batch := next(t, b); batch.CaughtUp {
			batch.Ack()
			break
		}
	}
	for _, stream := range []string{"queue-1", "session-1", "queue-1"} {
		want := appendEvents(t, s, stream, 3)[2].Position
		events := 0
		for {
			batch := next(t, b)
			events += len(batch.Events)
			batch.Ack()
			if batch.Position == want && batch.CaughtUp {
				break
			}
		}
		if stream == "queue-1" && events != 0 || stream == "session-1" && events != 3 {
			t.Fatalf("%d events of %s", events, stream)
		}
	}
}

func TestBatchesEndWithTheSubscription(t *testing.T) {
	sub := feed.New(newStore(t), feed.Config{Window: 4})
	b, err := feed.NewBatches(context.Background(), sub, topic, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Next(canceled()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Next(context.Background()); !errors.Is(err, feed.ErrClosed) {
		t.Fatal(err)
	}
}

// BenchmarkBatches consumes a log of 200,000 events as a projection does.
func BenchmarkBatches(b *testing.B) {
	const events = 200_000
	s := newStore(b)
	data := make([]byte, 300)
	for n := 0; n < events; n += 100 {
		batch := make([]eventstore.Event, 100)
		for i := range batch {
			batch[i] = eventstore.Event{ID: uuid.New(), Type: "Happened", Data: data}
		}
		if _, err := s.Append(context.Background(), "session-1", eventstore.Any, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		batches := newBatches(b, s, feed.Config{Window: 8192, Bare: true, Markers: true}, 4096)
		for n := 0; n < events; {
			batch := next(b, batches)
			n += len(batch.Events)
			batch.Ack()
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}
