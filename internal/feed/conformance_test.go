package feed_test

import (
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

// TestWatermillSuite runs watermill's own suite, as far as it applies to a log: every subscriber gets everything, and
// consumers keep their own checkpoints, so there are no consumer groups.
func TestWatermillSuite(t *testing.T) {
	store := newStore(t)
	constructor := func(*testing.T) (message.Publisher, message.Subscriber) {
		return publisher{store}, feed.New(store, feed.Config{
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
