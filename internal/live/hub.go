// Package live follows the log for everybody who has a session open: one subscription a process, handed to each listener
// of the session. A listener that is slow reads the stream again from where it stands, so it holds up nobody and misses
// nothing. What a listener may see of an event is not decided here.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Pauses between attempts to subscribe again.
const (
	firstPause = 50 * time.Millisecond
	longPause  = 5 * time.Second
)

// Hub hands the events of sessions to those who listen.
type Hub struct {
	store eventstore.Store
	log   *slog.Logger
	done  chan struct{} // closed when Run has ended
	ended sync.Once

	mu    sync.RWMutex
	rooms map[domain.SessionID]map[*Follower]struct{}
	after eventstore.Position // used by Run alone
}

// Open makes a hub that knows everything appended from now on, as soon as it runs.
func Open(ctx context.Context, store eventstore.Store, log *slog.Logger) (*Hub, error) {
	head, err := store.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("live: find the end of the log: %w", err)
	}
	return &Hub{
		store: store, log: log, done: make(chan struct{}), after: head,
		rooms: make(map[domain.SessionID]map[*Follower]struct{}),
	}, nil
}

// Run follows the log until the context ends or the store is closed; then every follower ends too. It runs once.
func (h *Hub) Run(ctx context.Context) error {
	defer h.ended.Do(func() { close(h.done) })
	pause := firstPause
	for {
		moved, err := h.follow(ctx)
		if ctx.Err() != nil || errors.Is(err, eventstore.ErrClosed) {
			return ctx.Err()
		}
		if moved {
			pause = firstPause
		}
		h.log.WarnContext(ctx, "live streams lost the log and subscribe again", "error", err, "pause", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// follow is one subscription, until it breaks.
func (h *Hub) follow(ctx context.Context) (moved bool, err error) {
	subscription, err := h.store.Subscribe(ctx, h.after, eventstore.Filter{StreamPrefixes: []string{eventcodec.SessionPrefix}})
	if err != nil {
		return false, err
	}
	defer subscription.Close()
	for {
		batch, err := subscription.Next(ctx)
		if err != nil {
			return moved, err
		}
		h.hand(ctx, batch.Events)
		h.after, moved = batch.Position, true
	}
}

// hand gives a batch to those who listen, in one go for each.
func (h *Hub) hand(ctx context.Context, events []eventstore.Recorded) {
	if len(events) == 0 {
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.rooms) == 0 {
		return
	}
	var touched []*Follower
	for _, recorded := range events {
		room := h.rooms[domain.SessionID(strings.TrimPrefix(recorded.Stream, eventcodec.SessionPrefix))]
		if len(room) == 0 {
			continue
		}
		step := h.decode(ctx, recorded)
		for f := range room {
			if f.put(step) {
				touched = append(touched, f)
			}
		}
	}
	for _, f := range touched {
		f.signal()
	}
}

func (h *Hub) decode(ctx context.Context, recorded eventstore.Recorded) *Step {
	envelope, err := eventcodec.Decode(recorded)
	if err != nil {
		// A newer program's event: nobody here can see it, but it counts as delivered.
		h.log.WarnContext(ctx, "an event of a session cannot be shown", "stream", recorded.Stream, "revision", recorded.Revision, "error", err)
		envelope.Revision, envelope.Position = recorded.Revision, recorded.Position
	}
	return &Step{Envelope: envelope}
}

// Follow begins to follow a session from its first event. The follower must be closed.
func (h *Hub) Follow(id domain.SessionID) *Follower {
	f := &Follower{hub: h, id: id, reading: true, wake: make(chan struct{}, 1)}
	f.wake <- struct{}{}
	h.mu.Lock()
	defer h.mu.Unlock()
	room := h.rooms[id]
	if room == nil {
		room = make(map[*Follower]struct{})
		h.rooms[id] = room
	}
	room[f] = struct{}{}
	return f
}

// Followers counts those who listen at this time.
func (h *Hub) Followers() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	count := 0
	for _, room := range h.rooms {
		count += len(room)
	}
	return count
}

func (h *Hub) forget(f *Follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.rooms[f.id], f)
	if len(h.rooms[f.id]) == 0 {
		delete(h.rooms, f.id)
	}
}
