package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// runner is a projection with its place in the log.
type runner struct {
	Projection
	epoch    int64
	position eventstore.Position // stored; moved by who commits
	folded   eventstore.Position // folded; moved by who follows the log
	parked   map[string]bool     // streams
	pending  batchPlan
	refused  *failure // whose rows the database refused; set while its batch is stored again
}

// step is a batch that has been folded: what one transaction writes.
type step struct {
	parts    []part
	position eventstore.Position
	last     time.Time // recorded time of the last event
	careful  bool      // wait after each part, to tell whose rows are refused
}

// part of a projection in a step.
type part struct {
	*runner
	rows   readstore.Staged
	events int
}

// fold folds a batch for all projections and stages what it comes to.
func (e *Engine) fold(ctx context.Context, b *Batch) (*step, error) {
	s := &step{position: b.Position}
	if n := len(b.Events); n > 0 {
		s.last = b.Events[n-1].RecordedAt
	}
	for _, r := range e.runners {
		if r.folded >= b.Position {
			continue
		}
		if err := r.foldBatch(ctx, settled{e}, b); err != nil {
			return nil, err
		}
		rows, err := e.db.Stage(append(r.sets(), parkedTable.Set(r.pending.parked))...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name(), err)
		}
		s.parts = append(s.parts, part{r, rows, len(r.pending.events)})
		if len(r.pending.failed) > 0 {
			e.opts.Logger.ErrorContext(ctx, "projection has parked streams", "projection", r.Name(), "streams", len(r.pending.failed))
		}
	}
	if e.db.Detached() {
		s.folded()
	}
	return s, nil
}

// folded lets the folds go on to the next batch.
func (s *step) folded() {
	for _, p := range s.parts {
		p.keep()
		p.done()
		p.runner.folded = s.position
	}
}

// commit stores a step. The checkpoints move first, which locks them: of two engines one waits there, and learns that it has
// been replaced.
func (e *Engine) commit(ctx context.Context, s *step) error {
	now := readstore.At(e.opts.Clock())
	ctx = context.WithoutCancel(ctx) // one that is under way is better finished
	err := e.db.Write(ctx, func(tx readstore.Tx) error {
		if err := e.move(tx, s, now); err != nil {
			return err
		}
		if s.careful {
			if err := tx.Flush(); err != nil {
				return err
			}
		}
		for _, p := range s.parts {
			err := tx.Put(p.rows)
			if err == nil && s.careful {
				err = tx.Flush()
			}
			if err != nil {
				return &writeError{p.runner, fmt.Errorf("%s: %w", p.Name(), err)}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range s.parts {
		p.runner.position = s.position
	}
	if !e.db.Detached() {
		s.folded()
	}
	e.reached()
	return nil
}

// move moves the checkpoints of a step: most often all of them, which stand at one place, and then with one statement.
func (e *Engine) move(tx readstore.Tx, s *step, now readstore.Time) error {
	together := len(s.parts) == len(e.runners)
	for _, p := range s.parts {
		together = together && p.position == s.parts[0].position
	}
	if !together {
		for _, p := range s.parts {
			err := tx.One(e.sql.move, int64(s.position), p.events, readstore.At(s.last), leaseLife.Milliseconds(), now, p.Name(), p.epoch, int64(p.position))
			if err != nil {
				return err
			}
		}
		return nil
	}
	args := []any{int64(s.position), readstore.At(s.last), leaseLife.Milliseconds(), now}
	for _, p := range s.parts {
		args = append(args, p.events)
	}
	args = append(args, int64(s.parts[0].position))
	for _, p := range s.parts {
		args = append(args, p.epoch)
	}
	return tx.Exactly(int64(len(s.parts)), e.moveAll, args...)
}

func (e *Engine) reached() {
	position := eventstore.End
	for _, r := range e.runners {
		position = min(position, r.position)
	}
	e.place.set(position)
}

// flight is a transaction that is under way while the next batch is being folded.
type flight struct {
	done chan struct{}
	err  error
}

// send commits a step, beside what follows where the database allows it.
func (e *Engine) send(ctx context.Context, s *step) error {
	if err := e.settle(); err != nil {
		return err
	}
	if !e.db.Detached() {
		return e.commit(ctx, s)
	}
	f := &flight{done: make(chan struct{})}
	e.flight = f
	go func() {
		defer close(f.done)
		f.err = e.commit(ctx, s)
		e.backlog.committed()
	}()
	return nil
}

// settle waits for the transaction that is under way.
func (e *Engine) settle() error {
	f := e.flight
	if f == nil {
		return nil
	}
	<-f.done
	e.flight = nil
	return f.err
}

// settled reads what everything so far has come to: rows that are still under way would be missed.
type settled struct{ e *Engine }

func (s settled) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	if err := s.e.settle(); err != nil {
		return nil, err
	}
	if s.e.ready != nil {
		if err := s.e.ready(ctx); err != nil {
			return nil, err
		}
		s.e.ready = nil
	}
	return s.e.db.Query(ctx, query, args...)
}
