package feed

import (
	"context"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// follower reads a subscription ahead of its delivery, and makes it anew whenever it is lost, from where it was.
type follower struct {
	store    eventstore.Store
	cfg      *Config
	topic    string
	filter   eventstore.Filter
	position eventstore.Position // up to which batches have been handed on
	batches  chan<- eventstore.Batch
	lost     int // subscriptions in a row that brought nothing
}

// run hands on batches until ctx ends.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := f.cfg.Resubscribe.pause(f.lost)
		f.lost++
		f.cfg.Logger.Warn("subscription lost, making it anew",
			"topic", f.topic, "position", uint64(f.position), "pause", pause, "error", err)
		wait(ctx, pause)
	}
}

// follow hands on the batches of one subscription until it is lost.
func (f *follower) follow(ctx context.Context) error {
	sub, err := f.store.Subscribe(ctx, f.position, f.filter)
	if err != nil {
		return err
	}
	defer sub.Close()
	for {
		b, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		f.lost = 0
		select {
		case f.batches <- b:
			f.position = b.Position
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
