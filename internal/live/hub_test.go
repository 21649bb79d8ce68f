package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/live"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T) eventstore.Store {
	t.Helper()
	return teststore.Open(t)
}

// run makes a hub that runs until the test ends.
func run(t *testing.T, store eventstore.Store) *live.Hub {
	t.Helper()
	hub, err := live.Open(t.Context(), store, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = hub.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return hub
}

// say appends messages n, n+1, … before end to a session.
func say(t *testing.T, store eventstore.Store, id string, n, end int) {
	t.Helper()
	for ; n < end; n++ {
		e, err := eventcodec.Encode(uuid.New(), session.PublicMessageSent{MessageID: fmt.Sprint(n)}, eventcodec.Metadata{OccurredAt: time.Unix(0, 0), Actor: domain.System})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Append(t.Context(), "session-"+id, eventstore.Expected(n-1), []eventstore.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
}

// expect takes the messages n, n+1, … before end, and no other.
func expect(t *testing.T, f *live.Follower, n, end int) {
	t.Helper()
	for n < end {
		select {
		case <-f.Ready():
		case <-time.After(10 * time.Second):
			t.Fatalf("message %d never came", n)
		}
		steps, err := f.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if got := s.Event.(session.PublicMessageSent).MessageID; got != fmt.Sprint(n) || s.Revision != uint64(n) {
				t.Fatalf("message %d is %s at revision %d", n, got, s.Revision)
			}
			n++
		}
	}
	if n != end {
		t.Fatalf("%d messages too many", n-end)
	}
}

func TestAFollowerGetsWhatWasAndWhatComes(t *testing.T) {
	store := open(t)
	say(t, store, "a", 0, 3)
	hub := run(t, store)
	f := hub.Follow("a")
	defer f.Close()
	expect(t, f, 0, 3)
	say(t, store, "b", 0, 2)
	say(t, store, "a", 3, 5)
	expect(t, f, 3, 5)
	early := hub.Follow("c")
	say(t, store, "c", 0, 2)
	expect(t, early, 0, 2)
	early.Close()
	if n := hub.Followers(); n != 1 {
		t.Fatalf("%d followers", n)
	}
}

func TestAFollowerThatIsSlowReadsTheLogAgainAndHoldsUpNobody(t *testing.T) {
	store := open(t)
	hub := run(t, store)
	slow, quick := hub.Follow("a"), hub.Follow("a")
	defer slow.Close()
	defer quick.Close()
	const many = 1500 // more than what is buffered, and more than a page
	go func() { say(t, store, "a", 0, many) }()
	expect(t, quick, 0, many)
	expect(t, slow, 0, many)
	say(t, store, "a", many, many+2)
	expect(t, slow, many, many+2)
	expect(t, quick, many, many+2)
}

// flaky is a store whose subscriptions break after each batch with events.
type flaky struct {
	eventstore.Store
	broken atomic.Int64
}

type flakySubscription struct {
	eventstore.Subscription
	store  *flaky
	broken bool
}

func (f *flaky) Subscribe(ctx context.Context, after eventstore.Position, filter eventstore.Filter) (eventstore.Subscription, error) {
	s, err := f.Store.Subscribe(ctx, after, filter)
	return &flakySubscription{Subscription: s, store: f}, err
}

func (s *flakySubscription) Next(ctx context.Context) (eventstore.Batch, error) {
	if s.broken {
		s.store.broken.Add(1)
		return eventstore.Batch{}, eventstore.ErrUnavailable
	}
	b, err := s.Subscription.Next(ctx)
	s.broken = len(b.Events) > 0
	return b, err
}

func TestTheHubSubscribesAgainWhereItWas(t *testing.T) {
	store := &flaky{Store: open(t)}
	hub := run(t, store)
	f := hub.Follow("a")
	defer f.Close()
	for i := range 6 {
		say(t, store, "a", i, i+1)
		expect(t, f, i, i+1)
	}
	if store.broken.Load() == 0 {
		t.Fatal("the subscription never broke")
	}
}

func TestFollowersEndWithTheHub(t *testing.T) {
	store := open(t)
	hub, err := live.Open(t.Context(), store, quiet)
	if err != nil {
		t.Fatal(err)
	}
	f := hub.Follow("a")
	defer f.Close()
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(context.Background()) }()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	<-f.Ended()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestAFormIsRenderedOnceForAllWhoGetTheSame(t *testing.T) {
	var step live.Step
	count := 0
	render := func() ([]byte, error) { count++; return []byte{byte(count)}, nil }
	for _, to := range []live.Rendering{{Audience: 1, Seq: 1}, {Audience: 1, Seq: 1}, {Audience: 2, Seq: 1}, {Audience: 2, Seq: 2}} {
		if _, err := step.Render(to, render); err != nil {
			t.Fatal(err)
		}
	}
	if count != 3 {
		t.Fatalf("rendered %d times", count)
	}
}
