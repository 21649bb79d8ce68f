package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Append adds events to the end of a stream. An answer that was lost is asked for again with the same ids and expectation, by
// which the server recognises what it has stored. An append that expects no revision is not repeated: there the server
// recognises it only while it remembers.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if err := s.usable(ctx); err != nil {
		return eventstore.Appended{}, err
	}
	bytes, err := eventstore.CheckAppend(stream, expected, events)
	if err != nil {
		return eventstore.Appended{}, err
	}
	if !s.enter() {
		return eventstore.Appended{}, eventstore.ErrClosed
	}
	defer s.inFlight.Done()
	a := &appending{store: s, stream: stream, expected: expected, proposed: proposed(events, bytes), bytes: bytes}
	return a.run(ctx)
}

// appending is an append on its way.
type appending struct {
	store    *Store
	stream   string
	expected eventstore.Expected
	proposed []esdb.EventData
	bytes    int
	sent     atomic.Int32 // how often it may have reached the server
	cut      int          // how often the server ended the call before all was said
}

func (a *appending) run(ctx context.Context) (eventstore.Appended, error) {
	pauses := a.store.opts.pauses()
	var failing time.Time
	for {
		result, err := a.attempt(ctx)
		k := kindOf(err)
		switch {
		case k == none:
			return a.stored(ctx, result)
		case ctx.Err() != nil:
			return eventstore.Appended{}, ctx.Err()
		case k == revision:
			return eventstore.Appended{}, a.wrong(ctx, err)
		case a.tooLarge(err):
			return eventstore.Appended{}, translated(err, tooLarge, a.stream)
		case k != lost:
			return eventstore.Appended{}, translated(err, k, a.stream)
		case a.expected == eventstore.Any || a.expected == eventstore.StreamExists:
			return eventstore.Appended{}, translated(err, k, a.stream)
		case failing.IsZero():
			failing = time.Now()
		case time.Since(failing) > a.store.opts.patience:
			return eventstore.Appended{}, translated(err, k, a.stream)
		}
		if !pause(ctx, pauses.NextBackOff()) {
			return eventstore.Appended{}, ctx.Err()
		}
	}
}

// A server says that an append is too large for its settings while it is still being sent, and then the client tells no
// more than that it could not send on. Its own limit for all events of an append, where nothing else is set, is serverLimit.
const (
	serverLimit = 1 << 20
	cuts        = 3
)

// tooLarge tells whether that is what the server means.
func (a *appending) tooLarge(err error) bool {
	if !errors.Is(err, io.EOF) || a.bytes < serverLimit/2 {
		return false
	}
	a.cut++
	return a.cut >= cuts
}

// attempt sends the append once, when there is a connection.
func (a *appending) attempt(ctx context.Context) (*esdb.WriteResult, error) {
	options := esdb.AppendToStreamOptions{ExpectedRevision: expectation(a.expected)}
	return a.store.write(ctx, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		a.sent.Add(1)
		return c.AppendToStream(asked(ctx), a.stream, options, a.proposed...)
	})
}

// stored makes the answer. What a server says of an append that it had stored before is not relied upon: the log is asked.
func (a *appending) stored(ctx context.Context, r *esdb.WriteResult) (eventstore.Appended, error) {
	answer := eventstore.Appended{Revision: r.NextExpectedVersion, Position: eventstore.Position(r.CommitPosition)}
	if a.sent.Load() <= 1 && answer.Position != eventstore.Start {
		return answer, nil
	}
	for e, err := range a.store.ReadStream(ctx, a.stream, answer.Revision, eventstore.Forwards, 1) {
		if err != nil {
			return eventstore.Appended{}, err
		}
		if e.ID != a.proposed[len(a.proposed)-1].EventID {
			break
		}
		answer.Position = e.Position
		return answer, nil
	}
	return eventstore.Appended{}, fmt.Errorf("%w: %s does not hold at revision %d what was answered to be there",
		eventstore.ErrUnavailable, a.stream, answer.Revision)
}

// wrong tells where the stream stands.
func (a *appending) wrong(ctx context.Context, refusal error) error {
	w := &eventstore.WrongRevision{Stream: a.stream, Expected: a.expected, Actual: eventstore.NoStream}
	if actual, ok := actualRevision(refusal); ok {
		w.Actual = actual
		return w
	}
	for e, err := range a.store.ReadStream(ctx, a.stream, maxRevision, eventstore.Backwards, 1) {
		if err != nil && !errors.Is(err, eventstore.ErrStreamNotFound) {
			return err
		}
		if err == nil {
			w.Actual = eventstore.Exactly(e.Revision)
		}
	}
	return w
}

func expectation(e eventstore.Expected) esdb.ExpectedRevision {
	switch e {
	case eventstore.Any:
		return esdb.Any{}
	case eventstore.NoStream:
		return esdb.NoStream{}
	case eventstore.StreamExists:
		return esdb.StreamExists{}
	default:
		return esdb.Revision(uint64(e))
	}
}

// proposed copies the events: the caller may reuse its slices when it has stopped waiting for the answer.
func proposed(events []eventstore.Event, bytes int) []esdb.EventData {
	memory := make([]byte, 0, bytes)
	copied := func(b []byte) []byte {
		start := len(memory)
		memory = append(memory, b...)
		return memory[start:len(memory):len(memory)]
	}
	out := make([]esdb.EventData, len(events))
	for i := range events {
		e := &events[i]
		out[i] = esdb.EventData{
			EventID: e.ID, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: copied(e.Data), Metadata: copied(e.Metadata),
		}
	}
	return out
}
