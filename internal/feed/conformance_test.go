package feed_test

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

// TestWatermillSuite runs watermill's own suite, as far as it applies to a log: every subscriber gets everything, and
// consumers keep their own checkpoints, so there are no consumer groups. Over the wire the server is restarted on the way.
func TestWatermillSuite(t *testing.T) {
	features := tests.Features{
		GuaranteedOrder:                     true,
		GuaranteedOrderWithSingleSubscriber: true,
		Persistent:                          true,
		NewSubscriberReceivesOldMessages:    true,
		ForceShort:                          testing.Short(),
	}
	store := teststore.Embedded(t)
	if teststore.OverWire() {
		server := teststore.Serve(t, store)
		store = teststore.Connect(t, server.URL())
		features.RestartServiceCommand = restarting(t, server)
	}
	constructor := func(*testing.T) (message.Publisher, message.Subscriber) {
		return publisher{store}, feed.New(store, feed.Config{
			Filter: func(topic string) (eventstore.Filter, error) {
				return eventstore.Filter{StreamPrefixes: []string{topic + "|"}}, nil
			},
			Redeliver: feed.Backoff{Max: -1},
		})
	}
	tests.TestPubSub(t, features, constructor, nil)
}

// restarting is a command that restarts a server of this process, which is how the suite wants to do it.
func restarting(t *testing.T, s *teststore.Server) []string {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range signals {
			s.Stop()
			s.Start()
		}
	}()
	t.Cleanup(func() {
		signal.Stop(signals)
		close(signals)
		<-done
	})
	return []string{"sh", "-c", fmt.Sprintf("kill -USR1 %d", os.Getpid())}
}
