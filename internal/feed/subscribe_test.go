package feed_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

const topic = "session-,staff-"

var fast = feed.Backoff{First: time.Millisecond, Max: 2 * time.Millisecond}

func subscribe(t testing.TB, sub message.Subscriber) <-chan *message.Message {
	t.Helper()
	t.Cleanup(func() {
		if err := sub.Close(); err != nil {
			t.Error(err)
		}
	})
	messages, err := sub.Subscribe(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func TestMessageCarriesItsEvent(t *testing.T) {
	s := newStore(t)
	appendEvents(t, s, "profile-1", 1)
	want := appendEvents(t, s, "session-1", 1)[0]
	msg := <-subscribe(t, feed.New(s, feed.Config{}))
	e, err := feed.EventOf(msg)
	if err != nil || e.Position != want.Position || e.Stream != "session-1" || msg.UUID != e.ID.String() {
		t.Fatalf("%+v %v", e, err)
	}
	for key, value := range map[string]string{
		feed.StreamKey: "session-1", feed.RevisionKey: "0", feed.PositionKey: fmt.Sprint(want.Position),
		feed.TypeKey: "Happened", feed.RecordedAtKey: e.RecordedAt.Format(time.RFC3339Nano), "actor": "agent-7",
	} {
		if got := msg.Metadata.Get(key); got != value {
			t.Errorf("metadata %s is %q, want %q", key, got, value)
		}
	}
	copied, err := feed.EventOf(msg.Copy()) // without the context
	if err != nil {
		t.Fatal(err)
	}
	if string(copied.Metadata) != `{"actor":"agent-7"}` {
		t.Fatalf("metadata %s", copied.Metadata)
	}
	copied.Metadata = e.Metadata
	if fmt.Sprint(copied) != fmt.Sprint(e) {
		t.Fatalf("%+v, want %+v", copied, e)
	}
	if _, err := feed.EventOf(message.NewMessage("x", nil)); err == nil {
		t.Fatal("a message without an event gave one")
	}
}

func TestRouterKeepsOrderWithRetries(t *testing.T) {
	s := newStore(t)
	const events = 300
	appendEvents(t, s, "session-1", events)
	router, err := message.NewRouter(message.RouterConfig{}, watermill.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	router.AddMiddleware(middleware.Retry{MaxRetries: 2, InitialInterval: time.Microsecond}.Middleware)
	var handled []uint64
	var running, failures atomic.Int32
	done := make(chan struct{})
	router.AddConsumerHandler("order", topic, feed.New(s, feed.Config{Redeliver: fast}), func(msg *message.Message) error {
		if running.Add(1) != 1 {
			t.Error("two messages at a time")
		}
		defer running.Add(-1)
		if failures.Add(1)%5 < 4 { // fails more often than Retry tries
			return errors.New("not yet")
		}
		e, err := feed.EventOf(msg)
		if handled = append(handled, e.Revision); len(handled) == events {
			close(done)
		}
		return err
	})
	go func() { _ = router.Run(context.Background()) }()
	<-done
	if err := router.Close(); err != nil {
		t.Fatal(err)
	}
	for i, revision := range handled {
		if revision != uint64(i) {
			t.Fatalf("event %d was handled as number %d", revision, i)
		}
	}
}

func TestCloseInMidBatchCancelsWhatIsInFlightAndLosesNothing(t *testing.T) {
	s := newStore(t)
	const events, window = 50, 8
	at := appendEvents(t, s, "session-1", events)
	checkpoint := eventstore.Start
	seen := 0
	for round := 0; seen < events; round++ {
		sub := feed.New(s, feed.Config{
			Window: window, Bare: true,
			From: func(context.Context, string) (eventstore.Position, error) { return checkpoint, nil },
		})
		messages := subscribe(t, sub)
		var inFlight []*message.Message
		for range min(window, events-seen) {
			inFlight = append(inFlight, <-messages)
		}
		for _, msg := range inFlight[:min(3, len(inFlight))] {
			if e, _ := feed.EventOf(msg); e.Position != at[seen].Position {
				t.Fatalf("round %d: position %d, want %d", round, e.Position, at[seen].Position)
			}
			checkpoint = at[seen].Position
			seen++
			msg.Ack()
		}
		if err := sub.Close(); err != nil {
			t.Fatal(err)
		}
		for _, msg := range inFlight {
			<-msg.Context().Done()
			if msg.Context().Err() == nil {
				t.Fatal("a message in flight goes on after Close")
			}
		}
		if _, open := <-messages; open {
			t.Fatal("the channel holds a message after Close")
		}
	}
	if _, err := feed.New(s, feed.Config{}).Subscribe(canceled(), topic); err != nil {
		t.Fatalf("subscribe with an ended context: %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestLostSubscriptionsAreMadeAnewWithoutGapOrRepeat(t *testing.T) {
	s := &faultyStore{Store: newStore(t), every: 2, calls: make(chan struct{}, 1)}
	messages := subscribe(t, feed.New(s, feed.Config{Resubscribe: fast, Bare: true}))
	const events = 200
	go appendEvents(t, s, "staff-1", events)
	for i := range events {
		msg, open := <-messages
		if !open {
			t.Fatal("the channel was closed on a drop")
		}
		if e, err := feed.EventOf(msg); err != nil || e.Revision != uint64(i) {
			t.Fatalf("event %d came as number %d (%v)", e.Revision, i, err)
		}
		msg.Ack()
	}
	<-s.calls
}

func TestWindowBoundsWhatIsUnacknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := teststore.Embedded(t) // the bubble waits for goroutines, and not for a network
		appendEvents(t, s, "session-1", 8)
		messages := subscribe(t, feed.New(s, feed.Config{Window: 3}))
		received := 0
		receive := func(n int) (got []*message.Message) {
			synctest.Wait()
			if len(messages) != n {
				t.Fatalf("%d messages after %d, want %d", len(messages), received, n)
			}
			for range n {
				msg := <-messages
				if e, _ := feed.EventOf(msg); e.Revision != uint64(received) {
					t.Fatalf("revision %d, want %d", e.Revision, received)
				}
				received++
				got = append(got, msg)
			}
			return got
		}
		first := receive(3)
		receive(0)
		first[1].Ack() // the window moves with its first message
		receive(0)
		first[0].Ack()
		receive(2)
		first[2].Ack()
		receive(1)
	})
}

func TestProgressIsToldWhenEverythingBeforeIsAcknowledged(t *testing.T) {
	s := teststore.Embedded(t) // which tells progress at once
	own := appendEvents(t, s, "session-1", 3)
	other := appendEvents(t, s, "queue-1", 4)
	type told struct {
		feed.Progress
		acked int32
	}
	news := make(chan told, 100)
	var acked atomic.Int32
	messages := subscribe(t, feed.New(s, feed.Config{
		Window:     10,
		OnProgress: func(_ context.Context, _ string, p feed.Progress) { news <- told{p, acked.Load()} },
	}))
	for range own {
		msg := <-messages
		acked.Add(1)
		msg.Ack()
	}
	last := other[len(other)-1].Position
	for {
		n := <-news
		if n.Position >= own[2].Position && n.acked != 3 {
			t.Fatalf("position %d was told when %d were acknowledged", n.Position, n.acked)
		}
		if n.Position == last && n.CaughtUp {
			break
		}
	}
	last = appendEvents(t, s, "queue-1", 1)[0].Position
	for n := range news {
		if n.Position == last && n.CaughtUp {
			break
		}
	}
}

func TestCheckpointThatCannotBeLoadedRefusesTheSubscription(t *testing.T) {
	broken := errors.New("broken")
	sub := feed.New(newStore(t), feed.Config{
		From: func(context.Context, string) (eventstore.Position, error) { return 0, broken },
	})
	if _, err := sub.Subscribe(context.Background(), topic); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := feed.New(newStore(t), feed.Config{}).Subscribe(context.Background(), "a,,b"); err == nil {
		t.Fatal("a topic with an empty prefix was taken")
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.Subscribe(context.Background(), topic); err == nil {
		t.Fatal("a closed subscriber was subscribed")
	}
}
