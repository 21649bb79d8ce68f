package eventstoredb

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	// maxRevision is beyond the last event that a stream can have.
	maxRevision = math.MaxInt64 - 1
	// lookAtContext is after how many events a read asks whether its context has ended.
	lookAtContext = 64
)

// wanting tells whether an event is one that the reader takes.
type wanting func(*eventstore.Recorded) bool

func everything(*eventstore.Recorded) bool { return true }
func nothing(*eventstore.Recorded) bool    { return false }

// opened begins a read on a client, at the place where it has come to.
type opened func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error)

// ReadStream yields the events of one stream.
func (s *Store) ReadStream(ctx context.Context, stream string, from uint64, direction eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		next, left := min(from, maxRevision), unlimited(limit)
		open := func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
			o := esdb.ReadStreamOptions{From: esdb.Revision(next)}
			if direction == eventstore.Backwards {
				o.Direction = esdb.Backwards
				if next == maxRevision {
					o.From = esdb.End{}
				}
			}
			return c.ReadStream(ctx, stream, o, left)
		}
		err := s.read(ctx, stream, open, everything, func(e *eventstore.Recorded) bool {
			left--
			if direction == eventstore.Forwards {
				next = e.Revision + 1
			} else {
				next = e.Revision - 1
			}
			return yield(*e, nil) && left > 0 && (direction == eventstore.Forwards || e.Revision > 0)
		})
		if err != nil {
			yield(eventstore.Recorded{}, err)
		}
	}
}

// ReadAll yields the events of all streams that pass the filter. The server is asked for all, since the client cannot ask
// it to filter a read.
func (s *Store) ReadAll(ctx context.Context, from eventstore.Position, direction eventstore.Direction, limit int, filter eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		left := unlimited(limit)
		passes := func(e *eventstore.Recorded) bool { return !own(e) && filter.Matches(e.Stream, e.Type) }
		read := s.readForwards
		if direction == eventstore.Backwards {
			read = s.readBackwards
		}
		err := read(ctx, from, passes, func(e *eventstore.Recorded) bool {
			if !passes(e) {
				return true
			}
			left--
			return yield(*e, nil) && left > 0
		})
		if err != nil {
			yield(eventstore.Recorded{}, err)
		}
	}
}

// readForwards takes what stands after from at the time of the call.
func (s *Store) readForwards(ctx context.Context, from eventstore.Position, wanted wanting, take func(*eventstore.Recorded) bool) error {
	end, err := s.end(ctx)
	if err != nil || from >= end {
		return err
	}
	at := from
	open := func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
		return c.ReadAll(ctx, esdb.ReadAllOptions{From: place(at)}, math.MaxUint64)
	}
	return s.read(ctx, "", open, wanted, func(e *eventstore.Recorded) bool {
		if e.Position <= at { // a read forwards begins with the event at its position
			return true
		}
		if e.Position > end {
			return false
		}
		at = e.Position
		return take(e) && at < end
	})
}

// readBackwards takes what stands at from and before it.
func (s *Store) readBackwards(ctx context.Context, from eventstore.Position, wanted wanting, take func(*eventstore.Recorded) bool) error {
	if from == eventstore.Start {
		return s.usable(ctx)
	}
	at, more := from, true
	if from != eventstore.End { // a read backwards begins before the event at its position
		open := func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
			return c.ReadAll(ctx, esdb.ReadAllOptions{From: place(from)}, 1)
		}
		err := s.read(ctx, "", open, wanted, func(e *eventstore.Recorded) bool {
			more = e.Position != from || take(e)
			return false
		})
		if err != nil || !more {
			return err
		}
	}
	open := func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
		return c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: place(at)}, math.MaxUint64)
	}
	return s.read(ctx, "", open, wanted, func(e *eventstore.Recorded) bool {
		if e.Position >= at {
			return true
		}
		at = e.Position
		return take(e)
	})
}

// Head is the position of the last event that is not the server's own.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	return s.last(ctx, func(e *eventstore.Recorded) bool { return !own(e) })
}

// end is the position of the last event of any kind.
func (s *Store) end(ctx context.Context) (eventstore.Position, error) {
	return s.last(ctx, everything)
}

// endOf asks one client where the log ends.
func endOf(ctx context.Context, c *esdb.Client) (eventstore.Position, error) {
	stream, err := c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1)
	if err != nil {
		return eventstore.Start, err
	}
	defer stream.Close()
	last, err := stream.Recv()
	if ended(err) {
		return eventstore.Start, nil
	}
	if err != nil {
		return eventstore.Start, err
	}
	return eventstore.Position(last.OriginalEvent().Position.Commit), nil
}

// ended tells whether a read has come to its end, which the client says with a bare io.EOF.
func ended(err error) bool {
	_, failed := errors.AsType[*esdb.Error](err)
	return !failed && errors.Is(err, io.EOF)
}

// last looks for an event from the end, in pages that grow: usually it is the first.
func (s *Store) last(ctx context.Context, is wanting) (eventstore.Position, error) {
	at, found := eventstore.End, eventstore.Start
	for page := uint64(1); ; page = min(page*32, 4096) {
		left := page
		open := func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
			return c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: place(at)}, left)
		}
		err := s.read(ctx, "", open, nothing, func(e *eventstore.Recorded) bool {
			left--
			at = e.Position
			if is(e) {
				found = e.Position
			}
			return found == eventstore.Start && left > 0
		})
		if err != nil || found != eventstore.Start || left > 0 {
			return found, err
		}
	}
}

// read takes events until take has had enough, there are no more, or it fails. A connection that is lost on the way is
// replaced, and open goes on where take has come to.
func (s *Store) read(ctx context.Context, stream string, open opened, wanted wanting, take func(*eventstore.Recorded) bool) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	pauses := s.opts.pauses()
	var failing time.Time
	for {
		taken, err := s.readOnce(ctx, open, wanted, take)
		k := kindOf(err)
		switch {
		case k == none:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case k != lost:
			return translated(err, k, stream)
		}
		if taken || failing.IsZero() {
			failing = time.Now()
			pauses.Reset()
		}
		if time.Since(failing) > s.opts.patience {
			return translated(err, k, stream)
		}
		if !pause(ctx, pauses.NextBackOff()) {
			return ctx.Err()
		}
	}
}

// readOnce reads on one connection, and tells whether anything came.
func (s *Store) readOnce(ctx context.Context, open opened, wanted wanting, take func(*eventstore.Recorded) bool) (taken bool, err error) {
	call, cancel := context.WithCancel(s.life)
	defer cancel()
	v, err := s.dialer.visit(ctx, call, s.opts.patience)
	if err != nil {
		return false, err
	}
	in := newInflow()
	if !s.start(func() { in.end(in.receive(v, open, wanted)) }) {
		v.leave()
		return false, eventstore.ErrClosed
	}
	for {
		events, err := in.take(ctx, s.opts.timeout)
		if err != nil {
			if s.life.Err() != nil {
				return taken, eventstore.ErrClosed
			}
			if connectionFailed(err) {
				v.link.retire(err)
			}
			return taken, err
		}
		taken = true
		for i := range events {
			if i%lookAtContext == 0 && ctx.Err() != nil {
				return taken, ctx.Err()
			}
			if !take(&events[i]) {
				return taken, nil
			}
		}
	}
}

// receive puts what a read brings, until it ends.
func (in *inflow) receive(v *visit, open opened, wanted wanting) (err error) {
	defer v.leave()
	defer recovered(&err)
	stream, err := open(asked(v), v.link.client)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		resolved, err := stream.Recv()
		if ended(err) {
			return errEnd
		}
		if err != nil {
			return err
		}
		from := resolved.OriginalEvent()
		e := recorded(from)
		if shares(from) && wanted(&e) {
			return errShared(from)
		}
		if err := in.put(v, e); err != nil {
			return err
		}
	}
}

// place is a position as the client takes it. Commit and prepare positions are the same for what was not written in a
// transaction.
func place(p eventstore.Position) esdb.AllPosition {
	switch p {
	case eventstore.Start:
		return esdb.Start{}
	case eventstore.End:
		return esdb.End{}
	default:
		return esdb.Position{Commit: uint64(p), Prepare: uint64(p)}
	}
}

func unlimited(limit int) uint64 {
	if limit <= 0 {
		return math.MaxUint64
	}
	return uint64(limit)
}
