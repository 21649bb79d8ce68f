package wire

import (
	"context"
	"errors"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// followAll tells what comes in the log after a place. A place beyond the log's end is refused: it is of another log.
func (s *streams) followAll(r request, out *outgoing) error {
	ctx := out.call.Context()
	f := &follower{out: out, passes: r.filter.passes}
	if r.filter != nil {
		f.window, f.interval = eventstore.Position(r.filter.window), eventstore.Position(r.filter.interval)
	}
	after, begin := eventstore.Position(r.from.value), eventstore.Position(r.from.value)
	if r.from.end == end {
		head, err := s.store.Head(ctx)
		if err != nil {
			return err
		}
		after, begin = eventstore.End, head
	}
	f.began, f.considered, f.told = begin, begin, begin
	sub, err := s.store.Subscribe(ctx, after, r.filter.store())
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := out.confirm(); err != nil {
		return err
	}
	return f.run(ctx, sub)
}

// followStream tells what comes in a stream after a revision, whether the stream exists yet or not. The log is followed
// from where it ends, and what stands in the stream is read before: so nothing else of the log is looked at, and nothing
// that is appended meanwhile is missed.
func (s *streams) followStream(r request, out *outgoing) error {
	ctx, cancel := context.WithCancelCause(out.call.Context())
	defer cancel(nil)
	defer s.deletions.watch(r.stream, func() { cancel(eventstore.ErrStreamDeleted) })()
	d, err := s.deletions.of(ctx, r.stream)
	if err != nil {
		return err
	}
	if d.gone {
		return eventstore.ErrStreamDeleted
	}
	sub, err := s.store.Subscribe(ctx, eventstore.End, eventstore.Filter{StreamPrefixes: []string{r.stream}})
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := out.confirm(); err != nil {
		return err
	}
	next := d.from
	if r.from.end == neither {
		next = max(next, r.from.value+1)
	}
	if r.from.end != end {
		next, err = s.tellHistory(ctx, r.stream, next, out)
	}
	if err == nil {
		f := &follower{out: out, passes: func(e *eventstore.Recorded) bool { return e.Stream == r.stream && e.Revision >= next }}
		err = f.run(ctx, sub)
	}
	if cause := context.Cause(ctx); errors.Is(cause, eventstore.ErrStreamDeleted) {
		return cause
	}
	return err
}

// tellHistory tells what stands in a stream from a revision on, and which revision comes next.
func (s *streams) tellHistory(ctx context.Context, stream string, from uint64, out *outgoing) (next uint64, err error) {
	for e, err := range s.store.ReadStream(ctx, stream, from, eventstore.Forwards, 0) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err == nil {
			err = out.send(&e)
		}
		if err != nil {
			return from, err
		}
		from = e.Revision + 1
	}
	return from, nil
}

// follower turns the batches of a store's subscription into the messages of the protocol. A filtered subscription of $all
// gets checkpoints, for which EventStoreDB counts events that it has looked at, in pages of the filter's window. Here
// positions are counted, as in a dense log: in another log there are more checkpoints, and no worse ones.
type follower struct {
	out      *outgoing
	passes   func(*eventstore.Recorded) bool
	window   eventstore.Position // positions of a page
	interval eventstore.Position // positions between two checkpoints; 0 for a subscription that gets none

	live       bool
	began      eventstore.Position // where it began to catch up
	considered eventstore.Position // at the last checkpoint of the interval
	sent       eventstore.Position // of the last event that was sent
	told       eventstore.Position // of the last checkpoint, or where the subscription began
}

func (f *follower) run(ctx context.Context, sub eventstore.Subscription) error {
	for {
		b, err := sub.Next(ctx)
		if err == nil {
			err = f.tell(&b)
		}
		if err != nil {
			return err
		}
	}
}

// tell sends a batch, and what it changes of where the subscription stands.
func (f *follower) tell(b *eventstore.Batch) error {
	if f.live && !b.CaughtUp {
		if err := f.fallBehind(); err != nil {
			return err
		}
	}
	for i := range b.Events {
		e := &b.Events[i]
		if f.passes(e) {
			if err := f.out.send(e); err != nil {
				return err
			}
			f.sent = e.Position
		}
		if err := f.consider(e.Position); err != nil {
			return err
		}
	}
	if b.CaughtUp && !f.live {
		return f.catchUp(b.Position)
	}
	return f.consider(b.Position)
}

// consider counts up to a position, whether its event was sent or not.
func (f *follower) consider(at eventstore.Position) error {
	if at <= f.considered || at-f.considered < f.interval {
		return nil
	}
	f.considered = at
	return f.checkpoint(at)
}

// catchUp tells, after a checkpoint, that the end of the log was reached. The checkpoint is the last event that was sent, or
// where the last page began when that is later. EventStoreDB does not tell the end itself, and whoever waits for it waits
// for ever.
func (f *follower) catchUp(end eventstore.Position) error {
	f.live = true
	page := f.began
	if f.window > 0 && end > f.began {
		page += (end - 1 - f.began) / f.window * f.window
	}
	if err := f.checkpoint(max(f.sent, page)); err != nil {
		return err
	}
	return f.out.caughtUp()
}

// fallBehind tells that more has come than was sent.
func (f *follower) fallBehind() error {
	f.live = false
	f.began = max(f.sent, f.told)
	if err := f.out.fellBehind(); err != nil {
		return err
	}
	return f.checkpoint(f.sent)
}

// checkpoint tells a place up to which everything has been sent, unless it has been told.
func (f *follower) checkpoint(at eventstore.Position) error {
	if f.interval == 0 || at <= f.told {
		return nil
	}
	f.told = at
	return f.out.checkpoint(at)
}
