package projections

import (
	"context"
	"log/slog"
	"time"
)

// DefaultMaxBatch is about how many events are committed at once while catching up.
const DefaultMaxBatch = 5000

// Options of an Engine. The zero value is usable.
type Options struct {
	Logger *slog.Logger
	// Clock gives updated_at of the checkpoints and the lag, and nothing else. time.Now when nil.
	Clock func() time.Time
	// MaxBatch is how many events an engine gathers before it stops reading; a transaction holds fewer than twice as many.
	MaxBatch int
	// MinBatch is how many events it gathers at least while it catches up; as many as are there when 0.
	MinBatch int
	// Breather is how long after a commit the next begins at the earliest when events come quickly, so that batches are
	// worth their transaction: a fifth of a millisecond for each event of the batch, and no longer than this. So a few
	// events are visible in a few milliseconds, and above 5,000 a second the database is spared. None when 0.
	Breather time.Duration
	// Retry is the pause before what the database has failed at is tried again, doubled each time up to RetryMax; 20 ms
	// and 2 s when 0.
	Retry, RetryMax time.Duration
	// Alone says that no other process can have the database, so that a lease that is left over in it is void.
	Alone bool
	// Stale is called, in a goroutine of its own, when the engine has taken the leases of projections whose rows were built by
	// another version of the code, so that they can be rebuilt. The engine goes on with the old rows meanwhile. May be nil.
	Stale func(ctx context.Context)
}

func (o Options) or() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = DefaultMaxBatch
	}
	if o.Retry == 0 {
		o.Retry, o.RetryMax = 20*time.Millisecond, 2*time.Second
	}
	return o
}
