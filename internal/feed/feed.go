// Package feed turns the event log into watermill messages: one subscriber over any eventstore.Store. It keeps the log's
// order, survives a store that goes away, and moves no checkpoint: whoever consumes saves how far it has come, beside
// what it made of the events, and says in Config.From where to go on. It knows nothing of what an event means.
//
// A topic names a selection of streams. With a window of 1 a message is sent when the one before it has been
// acknowledged, which keeps order on a watermill Router. With a larger window that many messages may wait for their Ack,
// for consumers that commit in batches (see Batches).
//
// A Nack sends the same message again, and after it everything that followed it, acknowledged or not, as new messages
// in the same order. Whatever a consumer with a larger window had received behind a message that it refused is void.
//
// When a subscription ends, by Close or its context, the context of every message in flight is cancelled, and nothing more
// comes. A consumer that had not saved its checkpoint gets those messages again the next time.
package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// ErrClosed is the answer of a subscriber that has been closed.
var ErrClosed = errors.New("feed: closed")

// Config of a Subscriber. The zero value delivers every event of a topic from the start, one at a time.
type Config struct {
	// Filter tells which events a topic stands for. Prefixes when nil.
	Filter func(topic string) (eventstore.Filter, error)
	// From tells the position after which a topic is delivered: the consumer's checkpoint. Start when nil.
	From func(ctx context.Context, topic string) (eventstore.Position, error)
	// Window is how many messages may wait for their Ack; 1 when smaller.
	Window int
	// Bare leaves the metadata of messages empty, which spares parsing that of the event; EventOf gives everything.
	Bare bool
	// Markers says that the consumer wants messages without an event where the position moved on without one: see Batch.
	Markers bool
	// OnProgress is called when everything up to p.Position that passes the filter has been acknowledged, before
	// anything later is sent: how a consumer of a Router moves its checkpoint past what its filter held back. It is
	// called from one goroutine a subscription, and may block it.
	OnProgress func(ctx context.Context, topic string, p Progress)
	// Resubscribe is the pause before a lost subscription is made anew; 50 ms growing to 5 s when zero.
	Resubscribe Backoff
	// Redeliver is the pause before a refused message is sent again; 5 ms growing to 1 s when zero.
	Redeliver Backoff
	// Logger is told of lost subscriptions; nobody when nil.
	Logger *slog.Logger
}

// Progress is how far a subscription is.
type Progress struct {
	// Position up to which (inclusively) everything that passes the filter has been delivered.
	Position eventstore.Position
	// CaughtUp says that this was the end of the log.
	CaughtUp bool
}

// Prefixes reads a topic as a comma separated list of stream prefixes, like "session-,staff-". An empty one stands for
// the whole log.
func Prefixes(topic string) (eventstore.Filter, error) {
	if topic == "" {
		return eventstore.Filter{}, nil
	}
	prefixes := strings.Split(topic, ",")
	for i, p := range prefixes {
		if prefixes[i] = strings.TrimSpace(p); prefixes[i] == "" {
			return eventstore.Filter{}, fmt.Errorf("feed: topic %q names an empty prefix", topic)
		}
	}
	return eventstore.Filter{StreamPrefixes: prefixes}, nil
}

// Subscriber is a watermill message.Subscriber over a log.
type Subscriber struct {
	store eventstore.Store
	cfg   Config

	mu     sync.Mutex // guards closed against subscriptions that begin
	closed bool
	done   chan struct{}
	active sync.WaitGroup
}

var _ message.Subscriber = (*Subscriber)(nil)

// New makes a subscriber over a store, which it does not close.
func New(store eventstore.Store, cfg Config) *Subscriber {
	if cfg.Filter == nil {
		cfg.Filter = Prefixes
	}
	if cfg.From == nil {
		cfg.From = func(context.Context, string) (eventstore.Position, error) { return eventstore.Start, nil }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Window = max(cfg.Window, 1)
	cfg.Resubscribe = cfg.Resubscribe.or(Backoff{First: 50 * time.Millisecond, Max: 5 * time.Second})
	cfg.Redeliver = cfg.Redeliver.or(Backoff{First: 5 * time.Millisecond, Max: time.Second})
	return &Subscriber{store: store, cfg: cfg, done: make(chan struct{})}
}

// Subscribe delivers a topic until ctx ends or the subscriber is closed; only then is the channel closed. Several
// subscriptions of a topic are independent of each other.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	filter, err := s.cfg.Filter(topic)
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", topic, err)
	}
	from, err := s.cfg.From(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("feed %s: load checkpoint: %w", topic, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan eventstore.Batch, 1)
	f := &follower{store: s.store, cfg: &s.cfg, topic: topic, filter: filter, position: from, batches: batches}
	d := newDelivery(ctx, &s.cfg, topic, batches)
	s.active.Go(func() {
		defer cancel()
		select {
		case <-s.done:
		case <-ctx.Done():
		}
	})
	s.active.Go(func() { f.run(ctx) })
	s.active.Go(d.run)
	return d.out, nil
}

// Close ends every subscription and returns when their channels are closed. The contexts of messages in flight are
// cancelled; it does not wait for their Ack.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	s.active.Wait()
	return nil
}
