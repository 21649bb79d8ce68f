package projections

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Retried is what became of a parked stream.
type Retried struct {
	Projection string
	Stream     string
	Events     int    // that were folded
	Cause      string // why it is still parked; "" when it is not
}

// RetryParked folds the streams again that a group of projections has parked, in order, after what was wrong has been put
// right. It takes the leases meanwhile; the engine that had them goes on afterwards. What still cannot be folded stays parked.
func RetryParked(ctx context.Context, db readstore.DB, log Log, group []Projection, o Options) (done []Retried, err error) {
	e, err := NewEngine(db, log, group, o)
	if err != nil {
		return nil, err
	}
	if _, err := e.acquire(ctx, true); err != nil {
		return nil, fmt.Errorf("retry parked streams: %w", err)
	}
	defer e.release(ctx)
	err = e.holding(ctx, func(ctx context.Context) error {
		done, err = e.retryAll(ctx)
		return err
	})
	return done, err
}

func (e *Engine) retryAll(ctx context.Context) (done []Retried, err error) {
	for _, r := range e.runners {
		first, err := firstParked(ctx, e.db, r.Name())
		if err != nil {
			return done, err
		}
		for _, p := range first {
			one, err := e.retryStream(ctx, r, p)
			if errors.Is(err, readstore.ErrNotOne) {
				err = ErrSuperseded
			}
			if err != nil {
				return done, fmt.Errorf("retry %s of %s: %w", p.stream, r.Name(), err)
			}
			done = append(done, one)
		}
	}
	return done, nil
}

type parkedSince struct {
	stream   string
	revision int64
}

// firstParked lists the parked streams of a projection with the first revision that was left out.
func firstParked(ctx context.Context, q readstore.Queryer, projection string) ([]parkedSince, error) {
	rows, err := q.Query(ctx, "SELECT stream, min(revision) FROM parked_event WHERE projection = ? GROUP BY stream ORDER BY min(position)", projection)
	return readstore.Collect(rows, err, func(rows readstore.Rows) (p parkedSince, err error) {
		return p, rows.Scan(&p.stream, &p.revision)
	})
}

// retryStream folds what was left out of a stream up to the checkpoint, and stores it, in one transaction.
func (e *Engine) retryStream(ctx context.Context, r *runner, p parkedSince) (Retried, error) {
	out := Retried{Projection: r.Name(), Stream: p.stream}
	var events []*eventcodec.Envelope
	for decoded, err := range e.log.Stream(ctx, p.stream, uint64(p.revision)) {
		if err != nil {
			return out, err
		}
		if decoded.Position > r.position {
			break
		}
		if decoded.Err != nil {
			out.Cause = undecodable(decoded.Err)
			return out, nil
		}
		events = append(events, &decoded.Envelope)
	}
	r.forget()
	defer r.forget()
	failures, err := r.fold(ctx, e.db, events)
	if err != nil {
		return out, err
	}
	if len(failures) > 0 {
		out.Cause = failures[0].cause
		return out, nil
	}
	rows, err := e.db.Stage(r.sets()...)
	if err != nil {
		return out, err
	}
	err = e.db.Write(ctx, func(tx readstore.Tx) error {
		err := tx.One(e.sql.move, int64(r.position), len(events), readstore.Time{}, leaseLife.Milliseconds(), readstore.At(e.opts.Clock()),
			r.Name(), r.epoch, int64(r.position))
		if err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM parked_event WHERE projection = ? AND stream = ?", r.Name(), p.stream); err != nil {
			return err
		}
		if err := tx.Put(rows); err != nil {
			return err
		}
		return tx.Flush()
	})
	if readstore.Refused(err) {
		out.Cause = "the database refused its rows"
		return out, nil
	}
	out.Events = len(events)
	return out, err
}

// streamOf reads a stream of a store.
func streamOf(ctx context.Context, store eventstore.Store, stream string, from uint64) func(yield func(Decoded, error) bool) {
	return func(yield func(Decoded, error) bool) {
		for recorded, err := range store.ReadStream(ctx, stream, from, eventstore.Forwards, 0) {
			if err != nil {
				yield(Decoded{}, err)
				return
			}
			if !yield(Decode([]eventstore.Recorded{recorded})[0], nil) {
				return
			}
		}
	}
}
