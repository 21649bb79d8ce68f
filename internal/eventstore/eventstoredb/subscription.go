package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// The server tells how far a filtered subscription has come after searchWindow × checkpointWindows events that it has
// looked at.
const (
	searchWindow      = 500
	checkpointWindows = 10
)

// notSystem lets the types pass that are not the server's own.
const notSystem = `^[^\$].*`

// subscription follows the log, over as many connections as it takes, one after the other: of each it receives a part. Next
// takes what has come.
//
// What is received is sorted by its position: what is not beyond the last is a repetition. The server tells a position
// without an event in checkpoints. While history is read, one is believed only when the end of history confirms it: some
// servers tell the end of the log as a checkpoint of a page that had no match, and going on from there would skip events.
type subscription struct {
	store  *Store
	filter eventstore.Filter
	ctx    context.Context // of the subscription
	cancel context.CancelCauseFunc

	in *inflow // its lock guards what follows; its err ends the subscription
	// current is the part that may change it.
	current *part
	// position up to which everything has been received, and up to which it has been delivered.
	position, delivered eventstore.Position
	pending             eventstore.Position // a checkpoint that nothing has confirmed
	end                 eventstore.Position // where the log ended when the connection's part began
	live                bool                // the server says that it has caught up
	told                bool                // and so has the reader been
	messages            uint64              // received, for the idle check
}

// Subscribe follows the log from the place after a position.
func (s *Store) Subscribe(ctx context.Context, after eventstore.Position, filter eventstore.Filter) (eventstore.Subscription, error) {
	end, err := s.end(ctx)
	if err != nil {
		return nil, err
	}
	if after == eventstore.End {
		after = end
	}
	if after > end {
		return nil, shorter(after, end)
	}
	sub := &subscription{store: s, in: newInflow(), position: after, delivered: after}
	sub.filter = eventstore.Filter{StreamPrefixes: slices.Clone(filter.StreamPrefixes), Types: slices.Clone(filter.Types)}
	sub.ctx, sub.cancel = context.WithCancelCause(s.life)
	if !s.start(sub.run) {
		return nil, eventstore.ErrClosed
	}
	return sub, nil
}

func shorter(after, end eventstore.Position) error {
	return fmt.Errorf("%w: subscribe after %d, but the log ends at %d", eventstore.ErrInvalid, after, end)
}

// Next waits for the next batch: all that has come.
func (s *subscription) Next(ctx context.Context) (eventstore.Batch, error) {
	for {
		if err := s.over(ctx); err != nil {
			return eventstore.Batch{}, err
		}
		b, ok, err := s.taken()
		if ok || err != nil {
			return b, err
		}
		select {
		case <-s.in.arrived:
		case <-ctx.Done():
		case <-s.ctx.Done():
		}
	}
}

// over tells why there is nothing more to wait for, if so.
func (s *subscription) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		return eventstore.ErrClosed
	}
	return nil
}

// taken is what has come and has not been delivered; when that is nothing, the error with which the subscription has ended.
func (s *subscription) taken() (b eventstore.Batch, ok bool, err error) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	if s.position == s.delivered && (s.told || !s.live) {
		return b, false, s.in.err
	}
	b = eventstore.Batch{Events: s.in.events, Position: s.position, CaughtUp: s.live}
	s.in.events, s.in.bytes = nil, 0
	s.delivered, s.told = s.position, s.live
	signal(s.in.room)
	return b, true, nil
}

// Close ends the subscription.
func (s *subscription) Close() error {
	s.cancel(eventstore.ErrClosed)
	return nil
}

// errIdle ends a connection's part: nothing came, although the log has moved on.
var errIdle = errors.New("the log moves on and nothing comes")

// run follows the log until the subscription is closed or cannot go on.
func (s *subscription) run() {
	pauses := s.store.opts.pauses()
	for s.store.dialer.await(s.ctx) == nil {
		before := s.received()
		err := s.follow()
		if s.ctx.Err() != nil {
			return
		}
		if errors.Is(err, eventstore.ErrInvalid) {
			s.in.end(err)
			return
		}
		if errors.Is(err, errIdle) {
			continue
		}
		if s.received() != before {
			pauses.Reset()
		}
		wait := pauses.NextBackOff()
		s.store.opts.logger.Warn("subscription dropped, going on from where it was",
			"position", uint64(s.at()), "pause", wait.Round(time.Millisecond), "error", told(err))
		pause(s.ctx, wait)
	}
}

// follow receives over one connection until it is lost. The client can hang in its own making of connections, so it is
// called in another goroutine, which is left behind when it does: what it still brings then is not taken (see part).
func (s *subscription) follow() error {
	call, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	v, err := s.store.dialer.visit(s.ctx, call, s.store.opts.patience)
	if err != nil {
		return err
	}
	p := s.begin()
	received := make(chan error, 1)
	run := func() {
		defer v.leave()
		received <- p.receive(v, cancel)
	}
	if !s.store.start(run) {
		v.leave()
		return eventstore.ErrClosed
	}
	select {
	case err = <-received:
	case <-call.Done():
	}
	if cause := context.Cause(call); cause != nil {
		return cause
	}
	return translated(err, kindOf(err), "")
}

// begin begins a part, and ends the one before.
func (s *subscription) begin() *part {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	p := &part{subscription: s}
	s.current, s.live, s.pending = p, false, 0
	return p
}

// part is what a subscription receives over one connection.
type part struct{ *subscription }

// receive sorts what the server sends. cancel ends it early, with a cause.
func (p *part) receive(v *visit, cancel context.CancelCauseFunc) (err error) {
	defer recovered(&err)
	silent := time.AfterFunc(p.store.opts.timeout, func() {
		v.link.retire(errSilent)
		cancel(errSilent)
	})
	defer silent.Stop()
	if err := p.look(v); err != nil {
		return err
	}
	from, err := v.link.client.SubscribeToAll(asked(v), p.options())
	if err != nil {
		return err
	}
	defer from.Close()
	silent.Stop()
	stop := p.watch(cancel)
	defer stop()
	for {
		message := from.Recv()
		switch {
		case message.EventAppeared != nil:
			err = p.event(v, message.EventAppeared.OriginalEvent())
		case message.CheckPointReached != nil:
			err = p.checkpoint(eventstore.Position(message.CheckPointReached.Commit))
		case message.CaughtUp != nil:
			err = p.caughtUp()
		case message.FellBehind != nil:
			err = p.fellBehind()
		case message.SubscriptionDropped != nil:
			err = message.SubscriptionDropped.Error
		}
		if err != nil {
			return err
		}
	}
}

// look tells where the log ends, by the same server that is about to be subscribed to: what another one shows may be new to
// it, and then it has caught up without that.
func (p *part) look(v *visit) error {
	end, err := endOf(asked(v), v.link.client)
	if err != nil {
		return err
	}
	if at := p.at(); at > end {
		return shorter(at, end)
	}
	return p.change(func() { p.end = end })
}

// options ask the server to hold back what it can: it filters by types or by streams, and the rest is done here. Types hold
// back more.
func (s *subscription) options() esdb.SubscribeToAllOptions {
	filter := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: s.filter.StreamPrefixes}
	switch {
	case len(s.filter.Types) > 0:
		filter = &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: s.filter.Types}
	case len(s.filter.StreamPrefixes) == 0:
		filter = &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: notSystem}
	}
	return esdb.SubscribeToAllOptions{
		From: place(s.at()), Filter: filter, MaxSearchWindow: searchWindow, CheckpointInterval: checkpointWindows,
	}
}

// at is the position up to which everything has been received.
func (s *subscription) at() eventstore.Position {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return s.position
}

func (s *subscription) received() uint64 {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return s.messages
}
