package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

// Intervals of a Runner.
const (
	sweepEvery    = 200 * time.Millisecond
	snapshotEvery = 5 * time.Second
)

// Runner runs processes over a store, each as a handler of a watermill Router with a window of one message, so that each
// sees its events in the order of the log.
type Runner struct {
	Store     eventstore.Store
	Snapshots Snapshots
	Log       *slog.Logger
	Now       func() time.Time
}

// Snapshots is where the states of processes are kept: beside the program, or where every process that may run them
// finds them.
type Snapshots interface {
	// Load reads the last snapshot of a name into state; ok is false when there is none that can be read.
	Load(name string, state any) (ok bool, err error)
	// Save replaces it.
	Save(name string, state any) error
}

// stored is the snapshot of a process: its state at a place of the log.
type stored struct {
	Position eventstore.Position `json:"position"`
	State    json.RawMessage     `json:"state"`
}

func snapshotName(p Process) string { return "process-" + p.Name() }

// running is a process with what is known of its progress.
type running struct {
	Process
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex // one event, sweep or snapshot at a time
	position eventstore.Position
	stored   eventstore.Position
	live     bool
	moved    bool // since the last sweep
}

// Run runs the processes until the context ends, and stores their snapshots then.
func (r *Runner) Run(ctx context.Context, processes ...Process) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 5 * time.Second}, watermill.NewSlogLogger(quiet(r.Log)))
	if err != nil {
		return fmt.Errorf("run processes: %w", err)
	}
	runs := make([]*running, len(processes))
	for i, p := range processes {
		runs[i] = &running{Process: p, log: r.Log.With("process", p.Name()), now: r.Now}
		if err := r.restore(ctx, runs[i]); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, run := range runs {
		p := processes[i]
		router.AddConsumerHandler(p.Name(), p.Name(), r.subscriber(run), run.consume)
		group.Go(func() error {
			r.tick(ctx, run)
			return nil
		})
	}
	group.Go(func() error { return router.Run(ctx) })
	return group.Wait()
}

// quiet drops what watermill tells about its own coming and going.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(errorsOnly{log.Handler()}) }

type errorsOnly struct{ slog.Handler }

func (h errorsOnly) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }

func (r *Runner) subscriber(run *running) *feed.Subscriber {
	return feed.New(r.Store, feed.Config{
		Filter:     func(string) (eventstore.Filter, error) { return run.Filter(), nil },
		From:       func(context.Context, string) (eventstore.Position, error) { return run.position, nil },
		Window:     1,
		Bare:       true,
		OnProgress: func(ctx context.Context, _ string, p feed.Progress) { run.progress(ctx, p) },
		Logger:     r.Log,
	})
}

// restore takes the last snapshot, unless it is of a log that was longer than this one.
func (r *Runner) restore(ctx context.Context, run *running) error {
	var last stored
	ok, err := r.Snapshots.Load(snapshotName(run), &last)
	if err != nil || !ok {
		return err
	}
	whole, err := eventstore.Reaches(ctx, r.Store, last.Position)
	if err != nil {
		return fmt.Errorf("restore process %s: %w", run.Name(), err)
	}
	if !whole {
		run.log.WarnContext(ctx, "the snapshot is ahead of the log and is not used", "snapshot", last.Position)
		return nil
	}
	if err := run.Restore(last.State); err != nil {
		run.log.WarnContext(ctx, "the snapshot cannot be read and is not used", "error", err)
		return nil
	}
	run.position, run.stored = last.Position, last.Position
	return nil
}

// consume handles a message. An error sends it again after a pause, in order.
func (p *running) consume(msg *message.Message) error {
	recorded, err := feed.EventOf(msg)
	if err != nil {
		return err
	}
	envelope, err := eventcodec.Decode(recorded)
	if err != nil {
		// Nothing will make it readable while this program runs, and those behind it must not wait for it.
		p.log.Error("an event cannot be read and is passed over", "stream", recorded.Stream, "revision", recorded.Revision, "error", err)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = false
	if err := p.Consume(msg.Context(), envelope); err != nil {
		if msg.Context().Err() == nil {
			p.log.Warn("an event is tried again", "stream", recorded.Stream, "revision", recorded.Revision, "error", err)
		}
		return err
	}
	p.position, p.moved = recorded.Position, true
	return nil
}

// progress is called when everything up to a position has been consumed.
func (p *running) progress(ctx context.Context, at feed.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position, p.live = at.Position, at.CaughtUp
	if p.live && p.moved {
		p.sweep(ctx)
	}
}

func (p *running) sweep(ctx context.Context) {
	p.moved = false
	if err := p.Sweep(ctx, p.now()); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		p.log.WarnContext(ctx, "what is due is tried again", "error", err)
	}
}

// tick sweeps by the clock, and stores snapshots; the last one when the context ends.
func (r *Runner) tick(ctx context.Context, p *running) {
	sweeps, snapshots := time.NewTicker(sweepEvery), time.NewTicker(snapshotEvery)
	defer sweeps.Stop()
	defer snapshots.Stop()
	for {
		select {
		case <-ctx.Done():
			r.save(p)
			return
		case <-sweeps.C:
			p.mu.Lock()
			if p.live {
				p.sweep(ctx)
			}
			p.mu.Unlock()
		case <-snapshots.C:
			r.save(p)
		}
	}
}

func (r *Runner) save(p *running) {
	p.mu.Lock()
	position := p.position
	if position == p.stored {
		p.mu.Unlock()
		return
	}
	state, err := p.Snapshot()
	p.mu.Unlock()
	if err == nil {
		err = r.Snapshots.Save(snapshotName(p), stored{Position: position, State: state})
	}
	if err != nil {
		p.log.Warn("a snapshot was not stored", "error", err)
		return
	}
	p.stored = position
}
