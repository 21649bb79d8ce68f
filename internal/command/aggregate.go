package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/snapshot"
)

// maxAttempts bounds how often a command is decided anew because its stream moved meanwhile.
const maxAttempts = 16

// Aggregate runs the commands of one kind of stream. The folded state of streams in use stays in memory, so a command costs
// the same whatever the length of its stream. Commands of one stream wait for each other within a process; between
// processes the expected revision decides.
type Aggregate[S, E any] struct {
	store  eventstore.Store
	prefix string
	evolve func(S, E) S
	hot    *lru.Cache[string, *stream[S]]
	// shared says that other processes append to the same streams, so that what is in memory may be old.
	shared bool
	// snapshots keeps the states of streams that grow for ever; nil for those that end.
	snapshots *snapshot.Files
	log       *slog.Logger
	// valid tells whether an id can name a stream; what cannot has none, and is not looked for.
	valid func(id string) bool
}

// View is a stream's state at a revision.
type View[S any] struct {
	State    S
	Revision int64               // of the last event, -1 for an empty stream
	Position eventstore.Position // of the last event
}

// Outcome of a command.
type Outcome[S, E any] struct {
	View[S]
	Events []E // what was appended now; none when the request had come before
	// Replayed says that the request had been carried out before. Done is where its last event stands.
	Replayed bool
	Done     Done
}

// Done is where the last event of a request stands.
type Done struct {
	Revision int64
	Position eventstore.Position
	hash     string
}

// stream is what is held of one stream in memory.
type stream[S any] struct {
	busy    chan struct{} // holds one token while a command runs
	current atomic.Pointer[View[S]]
	// stale says that the stream may hold more than current: an append whose answer never came.
	stale atomic.Bool
	known memory // guarded by busy
	saved int64  // revision of the last snapshot, guarded by busy
	// begun counts the reads of the stream that have begun; read is the number of the last that has ended, guarded by busy.
	begun atomic.Uint64
	read  uint64
}

// fresh is the state in memory, nil when the stream has to be read.
func (a *Aggregate[S, E]) fresh(s *stream[S]) *View[S] {
	if a.shared || s.stale.Load() {
		return nil
	}
	return s.current.Load()
}

func newAggregate[S, E any](c Config, prefix string, evolve func(S, E) S, valid func(string) bool, size int) (*Aggregate[S, E], error) {
	hot, err := lru.New[string, *stream[S]](size)
	if err != nil {
		return nil, fmt.Errorf("command: cache of %s: %w", prefix, err)
	}
	return &Aggregate[S, E]{
		store: c.Store, prefix: prefix, evolve: evolve, valid: valid, hot: hot, shared: c.Shared, log: c.Log,
	}, nil
}

// Load returns the present state. An unknown stream has the zero state at revision -1. A command under way may stand in
// the log already and not yet in what is returned: see Settled.
func (a *Aggregate[S, E]) Load(ctx context.Context, id string) (View[S], error) {
	if v := a.fresh(a.stream(id)); v != nil {
		return *v, nil
	}
	return a.Settled(ctx, id)
}

// Settled returns a state that holds everything that stood in the log at the time of the call: it waits for the command
// under way. Who was led by an event of the log to look at a stream has to ask so, or can miss that very event.
func (a *Aggregate[S, E]) Settled(ctx context.Context, id string) (View[S], error) {
	s := a.stream(id)
	begun := s.begun.Load()
	if err := s.lock(ctx); err != nil {
		return View[S]{}, err
	}
	defer s.unlock()
	if err := a.settle(ctx, id, s, begun); err != nil {
		return View[S]{}, err
	}
	return *s.current.Load(), nil
}

// settle brings a locked stream up to the time of a call that came when so many reads of it had begun. Many calls wait for
// a stream that they all need, such as a profile: a read that has begun since the call came is as good as one of its own.
func (a *Aggregate[S, E]) settle(ctx context.Context, id string, s *stream[S], begun uint64) error {
	if a.fresh(s) != nil || s.read > begun && !s.stale.Load() {
		return nil
	}
	return a.refresh(ctx, id, s)
}

// Recall tells whether a request has been carried out on this stream before, and where its last event stands.
func (a *Aggregate[S, E]) Recall(ctx context.Context, id string, r Request) (Done, bool, error) {
	if r.Hash == "" {
		return Done{}, false, nil
	}
	s := a.stream(id)
	begun := s.begun.Load()
	if err := s.lock(ctx); err != nil {
		return Done{}, false, err
	}
	defer s.unlock()
	if err := a.settle(ctx, id, s, begun); err != nil {
		return Done{}, false, err
	}
	return s.known.recall(r)
}

// Execute decides a command on the present state and appends the events. Rejections come back as they are. Where others
// append to the stream too, it hopes at first that what is in memory is the present state: the expected revision tells when
// it is not.
func (a *Aggregate[S, E]) Execute(ctx context.Context, id string, r Request, decide func(View[S]) ([]E, error)) (Outcome[S, E], error) {
	s := a.stream(id)
	if err := s.lock(ctx); err != nil {
		return Outcome[S, E]{}, err
	}
	defer s.unlock()
	for attempt := range maxAttempts {
		if err := giveWay(ctx, attempt); err != nil {
			return Outcome[S, E]{}, err
		}
		hopeful := attempt == 0 && a.shared && !s.stale.Load() && s.current.Load() != nil
		if !hopeful && a.fresh(s) == nil {
			if err := a.refresh(ctx, id, s); err != nil {
				return Outcome[S, E]{}, err
			}
		}
		out, err := a.attempt(ctx, id, s, r, decide)
		var wrong *eventstore.WrongRevision
		switch {
		case errors.As(err, &wrong):
			s.stale.Store(true)
		case hopeful && len(out.Events) == 0 && (err == nil || domain.CodeOf(err) != ""):
			// Only what was appended proves that the state in memory was the present one.
		default:
			return out, err
		}
	}
	return Outcome[S, E]{}, domain.Reject(domain.StaleRevision, "the resource is being changed by others at this moment")
}

// giveWay pauses before a further attempt, longer each time and by chance, so that processes that write to the same stream
// do not meet again and again.
func giveWay(ctx context.Context, attempt int) error {
	if attempt < 2 {
		return nil
	}
	select {
	case <-time.After(rand.N(time.Duration(attempt) * time.Millisecond)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Aggregate[S, E]) attempt(ctx context.Context, id string, s *stream[S], r Request, decide func(View[S]) ([]E, error)) (Outcome[S, E], error) {
	view := *s.current.Load()
	done, known, err := s.known.recall(r)
	if err != nil {
		return Outcome[S, E]{}, err
	}
	if known {
		return Outcome[S, E]{View: view, Replayed: true, Done: done}, nil
	}
	events, err := decide(view)
	if err != nil || len(events) == 0 {
		return Outcome[S, E]{View: view, Done: Done{Revision: view.Revision, Position: view.Position}}, err
	}
	name := a.prefix + id
	encoded, err := encode(name, view.Revision+1, r, events)
	if err != nil {
		return Outcome[S, E]{}, err
	}
	appended, err := a.store.Append(ctx, name, eventstore.Expected(view.Revision), encoded)
	if err != nil {
		// Whether it was stored is unknown, unless the store refused it; the next use reads what came.
		s.stale.Store(true)
		return Outcome[S, E]{}, fmt.Errorf("append to %s: %w", name, err)
	}
	if want := view.Revision + int64(len(events)); int64(appended.Revision) != want {
		return Outcome[S, E]{}, &eventstore.WrongRevision{Stream: name, Expected: eventstore.Expected(view.Revision), Actual: eventstore.Expected(appended.Revision)}
	}
	for _, e := range events {
		view.State = a.evolve(view.State, e)
	}
	view.Revision, view.Position = int64(appended.Revision), appended.Position
	s.current.Store(&view)
	done = Done{Revision: view.Revision, Position: view.Position, hash: r.Hash}
	s.known.remember(r.ID, done)
	a.save(name, s, view, encoded[len(encoded)-1].ID)
	return Outcome[S, E]{View: view, Events: events, Done: done}, nil
}

func encode[E any](stream string, first int64, r Request, events []E) ([]eventstore.Event, error) {
	meta := r.metadata()
	encoded := make([]eventstore.Event, len(events))
	for i, e := range events {
		var err error
		if encoded[i], err = eventcodec.Encode(r.eventID(stream, first+int64(i)), e, meta); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

func (a *Aggregate[S, E]) stream(id string) *stream[S] {
	if s, ok := a.hot.Get(id); ok {
		return s
	}
	s := &stream[S]{busy: make(chan struct{}, 1)}
	if existing, ok, _ := a.hot.PeekOrAdd(id, s); ok {
		return existing
	}
	return s
}

func (s *stream[S]) lock(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stream[S]) unlock() { <-s.busy }

// refresh reads what the stream has beyond what is in memory: all of it for a stream that is not.
func (a *Aggregate[S, E]) refresh(ctx context.Context, id string, s *stream[S]) error {
	name := a.prefix + id
	number := s.begun.Add(1)
	view := View[S]{Revision: -1}
	if !a.valid(id) {
		s.current.Store(&view)
		s.read = number
		return nil
	}
	if v := s.current.Load(); v != nil {
		view = *v
	} else {
		var err error
		if view, s.known, err = a.restore(ctx, name); err != nil {
			return err
		}
		s.saved = view.Revision
	}
	for recorded, err := range a.store.ReadStream(ctx, name, uint64(view.Revision+1), eventstore.Forwards, 0) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if want := uint64(view.Revision + 1); recorded.Revision != want {
			// Somebody has cut the stream off in the event store: what it said is not known, so nothing is decided on it.
			return fmt.Errorf("read %s: revision %d stands where %d should", name, recorded.Revision, want)
		}
		envelope, err := eventcodec.Decode(recorded)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		event, ok := envelope.Event.(E)
		if !ok {
			return fmt.Errorf("read %s: %s does not belong there", name, envelope.Type)
		}
		view.State = a.evolve(view.State, event)
		view.Revision, view.Position = int64(envelope.Revision), envelope.Position
		s.known.learn(envelope)
	}
	s.current.Store(&view)
	s.stale.Store(false)
	s.read = number
	return nil
}
