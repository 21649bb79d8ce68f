package projections

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// breathPerEvent is how much pause an event is worth.
const breathPerEvent = 200 * time.Microsecond

// Engine runs the projections of a group: in one process at a time, which has their leases.
type Engine struct {
	db      readstore.DB
	log     Log
	runners []*runner
	opts    Options
	sql     statements
	moveAll string // statement that moves all checkpoints, in the order of the runners
	holder  string

	running atomic.Bool
	leading atomic.Bool
	place   place
	trouble atomic.Pointer[error]
	refusal atomic.Pointer[error] // why it leaves the leases alone although they are free
	backlog backlog

	// The rest belongs to the goroutine that follows the log.
	flight     *flight
	anyVersion bool                            // take what another version of the code has built, to replace it
	ready      func(ctx context.Context) error // called once before the rows are read; may be nil
	stale      []string                        // projections whose rows are of another version
	until      eventstore.Position             // up to where every event is stored with care: a row has been refused
}

// NewEngine makes an engine of projections, which it owns from then on.
func NewEngine(db readstore.DB, log Log, group []Projection, o Options) (*Engine, error) {
	e := &Engine{
		db: db, log: log, opts: o.or(), sql: statementsOf(db.Dialect()),
		holder: db.Holder() + "#" + uuid.NewString()[:8],
	}
	e.moveAll = moveAll(db.Dialect(), group)
	e.place.wanted = make(chan struct{}, 1)
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

func (e *Engine) names() []string {
	names := make([]string, len(e.runners))
	for i, r := range e.runners {
		names[i] = r.Name()
	}
	return names
}

// Run keeps the projections up to date until ctx ends or the database or the log is closed: it follows the log while it has
// the leases, and stands by, ready to take them, while another process has. It may be called again after it has returned.
func (e *Engine) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return errors.New("projections: the engine is running already")
	}
	defer e.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	var renewal renewal
	defer renewal.wait()
	defer cancel()
	byForce := e.opts.Alone
	for {
		var leading bool
		err := e.retrying(ctx, "take the checkpoints", func() (err error) {
			leading, err = e.acquire(ctx, byForce)
			return err
		})
		if errors.Is(err, ErrSuperseded) { // at once
			leading, err = false, nil
		}
		if err != nil {
			return err
		}
		byForce = false
		if !leading {
			if err := e.standBy(ctx); err != nil {
				return err
			}
			continue
		}
		if len(e.stale) > 0 && e.opts.Stale != nil {
			renewal.begin(func() { e.opts.Stale(ctx) })
		}
		if err := e.lead(ctx, never); !errors.Is(err, ErrSuperseded) {
			return err
		}
		e.opts.Logger.InfoContext(ctx, "another process has taken over the projections")
	}
}

// renewal of stale rows goes on when the lease changes hands, which its swap brings about; there is one at a time.
type renewal struct{ ended chan struct{} }

func (r *renewal) begin(do func()) {
	if r.ended != nil {
		select {
		case <-r.ended:
		default:
			return
		}
	}
	ended := make(chan struct{})
	r.ended = ended
	go func() {
		defer close(ended)
		do()
	}()
}

func (r *renewal) wait() {
	if r.ended != nil {
		<-r.ended
	}
}

func never(eventstore.Position) bool { return false }

// lead follows the log and renews the leases, which the engine has, until finished says so of the position.
func (e *Engine) lead(ctx context.Context, finished func(eventstore.Position) bool) error {
	e.leading.Store(true)
	defer e.leading.Store(false)
	err := e.holding(ctx, func(ctx context.Context) error { return e.keepFollowing(ctx, finished) })
	if ctx.Err() != nil {
		e.release(ctx)
		return ctx.Err()
	}
	return err
}

// holding calls do while the leases are renewed, which the engine has. The context of do ends with them.
func (e *Engine) holding(ctx context.Context, do func(ctx context.Context) error) error {
	group, inner := errgroup.WithContext(ctx)
	work, done := context.WithCancel(inner)
	group.Go(func() error {
		defer done()
		return do(inner)
	})
	group.Go(func() error { return e.keepRenewing(work) })
	return group.Wait()
}

func (e *Engine) keepRenewing(ctx context.Context) error {
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := e.renew(ctx); errors.Is(err, ErrSuperseded) {
			return err
		}
	}
}

// keepFollowing follows the log, and again from where everything is stored after a failure that passes.
func (e *Engine) keepFollowing(ctx context.Context, finished func(eventstore.Position) bool) error {
	first := true
	return e.retrying(ctx, "apply events", func() error {
		if !first {
			if err := e.recall(ctx, false); err != nil {
				return err
			}
		}
		first = false
		err := e.follow(ctx, finished)
		if errors.Is(err, readstore.ErrNotOne) {
			return ErrSuperseded
		}
		return err
	})
}

// follow commits what comes until finished says so of the position.
func (e *Engine) follow(ctx context.Context, finished func(eventstore.Position) bool) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	source, err := e.log.Follow(ctx, e.Position())
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	in, ended := newInbox(e.opts.MinBatch, e.opts.MaxBatch), make(chan struct{})
	e.backlog.begin(in, e.Position())
	go func() {
		defer close(ended)
		in.fill(ctx, source)
	}()
	defer func() {
		cancel()
		<-ended
		_ = source.Close()
		if failed := e.settle(); failed != nil {
			err = failed // which may have been what ended the rest
		}
		if readstore.Refused(err) {
			e.until = e.backlog.end()
		}
		e.backlog.end()
	}()
	var b Batch
	for !finished(e.Position()) {
		if f := e.flight; f != nil && !in.await(ctx, f.done) {
			if err := e.settle(); err != nil {
				return err
			}
			continue
		}
		if b, err = in.take(ctx, b); err != nil {
			return err
		}
		if err := e.apply(ctx, &b); err != nil {
			return err
		}
		e.trouble.Store(nil)
		if e.opts.Breather > 0 && b.CaughtUp {
			pause(ctx, min(e.opts.Breather, time.Duration(len(b.Events))*breathPerEvent))
		}
	}
	return nil
}

// retrying calls do until it succeeds, with growing pauses, unless ctx ends, another process has taken over, or the database
// or the log is closed.
func (e *Engine) retrying(ctx context.Context, what string, do func() error) error {
	wait := e.opts.Retry
	for {
		position := e.Position()
		err := do()
		if err == nil {
			e.trouble.Store(nil)
			return nil
		}
		e.forget()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrSuperseded) || errors.Is(err, readstore.ErrClosed) || errors.Is(err, eventstore.ErrClosed) {
			return err
		}
		if e.Position() > position {
			wait = e.opts.Retry // it went well for a while
		}
		e.trouble.Store(&err)
		e.opts.Logger.WarnContext(ctx, "projections cannot "+what+", trying again", "position", uint64(e.Position()), "pause", wait, "error", err)
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

// Position up to which all projections have stored everything, as far as this engine knows.
func (e *Engine) Position() eventstore.Position { return e.place.get() }

// WaitFor returns when all projections have stored everything up to a position, in this process or another, or with ctx.Err().
func (e *Engine) WaitFor(ctx context.Context, position eventstore.Position) error {
	return e.place.wait(ctx, position)
}

// Leading tells whether this engine has the leases.
func (e *Engine) Leading() bool { return e.leading.Load() }

// Trouble is the failure of the database that the engine is retrying, or ErrNewer; nil when there is none.
func (e *Engine) Trouble() error {
	for _, told := range []*error{e.trouble.Load(), e.refusal.Load()} {
		if told != nil {
			return *told
		}
	}
	return nil
}
