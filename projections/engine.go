package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// DefaultMaxBatch is about how many events are committed at once while catching up.
const DefaultMaxBatch = 5000

// breathPerEvent is how much pause an event is worth.
const breathPerEvent = 200 * time.Microsecond

// Options of an Engine. The zero value is usable.
type Options struct {
	Logger *slog.Logger
	// Clock gives updated_at of the checkpoints, and nothing else. time.Now when nil.
	Clock func() time.Time
	// MaxBatch is how many events an engine gathers before it stops reading; a transaction holds fewer than twice as many.
	MaxBatch int
	// Breather is how long after a commit the next begins at the earliest when events come quickly, so that batches are
	// worth their transaction: a fifth of a millisecond for each event of the batch, and no longer than this. So a few
	// events are visible in a few milliseconds, and above 5,000 a second the database is spared. None when 0.
	Breather time.Duration
	// Retry is the pause before a failed transaction is tried again, doubled each time up to RetryMax; 20 ms and 5 s when 0.
	Retry, RetryMax time.Duration
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
		o.Retry, o.RetryMax = 20*time.Millisecond, 5*time.Second
	}
	return o
}

// Engine runs the projections of a group.
type Engine struct {
	db      readstore.DB
	log     Log
	runners []*runner
	opts    Options
	running atomic.Bool
	place   place
	trouble atomic.Pointer[error]
}

// NewEngine makes an engine of projections, which it owns from then on.
func NewEngine(db readstore.DB, log Log, group []Projection, o Options) (*Engine, error) {
	e := &Engine{db: db, log: log, opts: o.or()}
	var err error
	for _, p := range group {
		err = errors.Join(err, p.err())
		e.runners = append(e.runners, &runner{Projection: p})
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Run follows the log until ctx ends, the log is closed, or another engine takes over (ErrSuperseded). It may be called
// again after it has returned.
func (e *Engine) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("projections: the engine is running already")
	}
	defer e.running.Store(false)
	err := e.retrying(ctx, "take the checkpoints", func() error { return e.take(ctx) })
	if err != nil {
		return err
	}
	e.reached()
	return e.follow(ctx, func(eventstore.Position) bool { return false })
}

// follow commits what comes until finished says so of the position.
func (e *Engine) follow(ctx context.Context, finished func(eventstore.Position) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	source, err := e.log.Follow(ctx, e.position())
	if err != nil {
		cancel()
		return fmt.Errorf("follow the log: %w", err)
	}
	in, ended := newInbox(e.opts.MaxBatch), make(chan struct{})
	go func() {
		defer close(ended)
		in.fill(ctx, source)
	}()
	defer func() {
		cancel()
		<-ended
		_ = source.Close()
	}()
	var b Batch
	for !finished(e.position()) {
		if b, err = in.take(ctx, b); err != nil {
			return err
		}
		err := e.retrying(ctx, "apply events", func() error { return e.apply(ctx, &b) })
		if err != nil {
			return err
		}
		if e.opts.Breather > 0 && b.CaughtUp {
			pause(ctx, min(e.opts.Breather, time.Duration(len(b.Events))*breathPerEvent))
		}
	}
	return nil
}

// retrying calls do until it succeeds, with growing pauses, unless ctx ends or another engine has taken over.
func (e *Engine) retrying(ctx context.Context, what string, do func() error) error {
	wait := e.opts.Retry
	for {
		err := do()
		if err == nil {
			e.trouble.Store(nil)
			return nil
		}
		e.forget()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrSuperseded) || errors.Is(err, readstore.ErrClosed) {
			return err
		}
		e.trouble.Store(&err)
		e.opts.Logger.Warn("projections cannot "+what+", trying again", "position", uint64(e.position()), "pause", wait, "error", err)
		pause(ctx, wait)
		wait = min(2*wait, e.opts.RetryMax)
	}
}

func (e *Engine) forget() {
	for _, r := range e.runners {
		r.forget()
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// store folds a batch and stores its rows and the checkpoints.
func (e *Engine) store(ctx context.Context, b *Batch) error {
	for _, r := range e.runners {
		if err := r.foldBatch(ctx, e.db, b); err != nil {
			return err
		}
	}
	now := e.opts.Clock()
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		for _, r := range e.runners {
			if r.position >= b.Position {
				continue
			}
			if err := r.move(tx, b.Position, now); err != nil {
				return err
			}
			staged, err := e.db.Stage(r.sets()...)
			if err == nil {
				err = tx.Put(staged)
			}
			if err == nil {
				err = tx.Flush()
			}
			if err != nil {
				return &writeError{r, fmt.Errorf("%s: %w", r.Name(), err)}
			}
			if err := parkedTable.Write(e.db, tx, r.pending.parked...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range e.runners {
		if len(r.pending.failed) > 0 {
			e.opts.Logger.Error("projection has parked streams", "projection", r.Name(), "streams", len(r.pending.failed))
		}
		r.keep()
		r.done()
		r.position = max(r.position, b.Position)
	}
	e.reached()
	return nil
}

// position of the projection that is furthest behind.
func (e *Engine) position() eventstore.Position {
	position := eventstore.End
	for _, r := range e.runners {
		position = min(position, r.position)
	}
	return position
}

func (e *Engine) reached() { e.place.set(e.position()) }

// Position up to which all projections have stored everything, as far as this engine knows.
func (e *Engine) Position() eventstore.Position { return e.place.get() }

// WaitFor returns when all projections have stored everything up to a position, or with ctx.Err().
func (e *Engine) WaitFor(ctx context.Context, position eventstore.Position) error {
	return e.place.wait(ctx, position)
}

// Lag is how many positions the engine is behind the log.
func (e *Engine) Lag(ctx context.Context) (uint64, error) {
	head, err := e.log.Head(ctx)
	if err != nil {
		return 0, err
	}
	return uint64(head) - min(uint64(e.Position()), uint64(head)), nil
}

// Trouble is the failure of the database that the engine is retrying, nil when there is none.
func (e *Engine) Trouble() error {
	if err := e.trouble.Load(); err != nil {
		return *err
	}
	return nil
}
