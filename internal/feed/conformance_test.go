package feed_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

// TestWatermillSuite runs watermill's own suite, as far as it applies to a log: every subscriber gets everything, and
// consumers keep their own checkpoints, so there are no consumer groups. Over the wire the server is stopped and started
// again all the time, in every test of the suite. (The suite's own test of that reads a slice while it appends to it, which
// the race detector does not let pass.)
func TestWatermillSuite(t *testing.T) {
	store := teststore.Embedded(t)
	if teststore.OverWire() {
		server := teststore.Serve(t, store)
		store = teststore.Connect(t, server.URL())
		restarting(t, server)
	}
	constructor := func(*testing.T) (message.Publisher, message.Subscriber) {
		return patient{publisher{store}}, feed.New(store, feed.Config{
			Filter: func(topic string) (eventstore.Filter, error) {
				return eventstore.Filter{StreamPrefixes: []string{topic + "|"}}, nil
			},
			Redeliver: feed.Backoff{Max: -1},
		})
	}
	tests.TestPubSub(t, tests.Features{
		GuaranteedOrder:                     true,
		GuaranteedOrderWithSingleSubscriber: true,
		Persistent:                          true,
		NewSubscriberReceivesOldMessages:    true,
		ForceShort:                          testing.Short(),
	}, constructor, nil)
}

// restarting takes a server away twice a second, and brings it back, until the test ends.
func restarting(t *testing.T, s *teststore.Server) {
	stop, done := make(chan struct{}), make(chan struct{})
	again := time.NewTicker(500 * time.Millisecond)
	restarts := 0
	go func() {
		defer close(done)
		for {
			select {
			case <-again.C:
				s.Stop()
				s.Start()
				restarts++
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		again.Stop()
		if restarts < 3 {
			t.Errorf("the server was restarted %d times", restarts)
		}
	})
}

// patient publishes until it is done: a message whose publication was not answered is published again under its id.
type patient struct{ publisher }

func (p patient) Publish(topic string, messages ...*message.Message) error {
	for _, msg := range messages {
		err := p.publisher.Publish(topic, msg)
		for errors.Is(err, eventstore.ErrUnavailable) {
			err = p.publisher.Publish(topic, msg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
