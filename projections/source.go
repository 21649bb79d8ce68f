package projections

import (
	"context"
	"iter"
	"log/slog"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/feed"
)

// Decoded is an event of the log, or one that could not be decoded: then Err says why, and of the Envelope only Stream,
// Revision, Position, Type, ID and RecordedAt are there.
type Decoded struct {
	eventcodec.Envelope
	Err error
}

// Batch is a step of a Source.
type Batch struct {
	Events []Decoded // in log order; may be empty
	// Position up to which (inclusively) everything has been delivered.
	Position eventstore.Position
	// CaughtUp says that this was the end of the log.
	CaughtUp bool
}

// Source delivers the log, to one goroutine.
type Source interface {
	// Next waits for what comes after the batch before. It survives a log that goes away, and fails with ctx.Err(), or
	// when it has been closed.
	Next(ctx context.Context) (Batch, error)
	// Close ends the source.
	Close() error
}

// Log is where events come from.
type Log interface {
	// Follow delivers what comes after a position.
	Follow(ctx context.Context, after eventstore.Position) (Source, error)
	// Head is the position of the last event.
	Head(ctx context.Context) (eventstore.Position, error)
	// Stream reads a stream from a revision on.
	Stream(ctx context.Context, stream string, from uint64) iter.Seq2[Decoded, error]
}

// FromStore follows what a store holds of the product through a feed. max bounds a batch of the source.
func FromStore(store eventstore.Store, max int, logger *slog.Logger) Log {
	return storeLog{store, max, logger}
}

type storeLog struct {
	store  eventstore.Store
	max    int
	logger *slog.Logger
}

func (l storeLog) Head(ctx context.Context) (eventstore.Position, error) { return l.store.Head(ctx) }

func (l storeLog) Stream(ctx context.Context, stream string, from uint64) iter.Seq2[Decoded, error] {
	return streamOf(ctx, l.store, stream, from)
}

func (l storeLog) Follow(ctx context.Context, after eventstore.Position) (Source, error) {
	subscriber := feed.New(l.store, feed.Config{
		Filter: func(string) (eventstore.Filter, error) { return eventcodec.Streams(), nil },
		From:   func(context.Context, string) (eventstore.Position, error) { return after, nil },
		Window: 2 * l.max, Bare: true, Markers: true, Logger: l.logger,
	})
	batches, err := feed.NewBatches(ctx, subscriber, "read models", l.max)
	if err != nil {
		return nil, err
	}
	return &feedSource{subscriber, batches}, nil
}

type feedSource struct {
	subscriber *feed.Subscriber
	batches    *feed.Batches
}

// Next acknowledges at once: the engine keeps a batch until it is committed, and a restart goes on from its checkpoint.
func (s *feedSource) Next(ctx context.Context) (Batch, error) {
	b, err := s.batches.Next(ctx)
	if err != nil {
		return Batch{}, err
	}
	events, progress := b.Events, b.Progress
	b.Ack()
	return Batch{Events: Decode(events), Position: progress.Position, CaughtUp: progress.CaughtUp}, nil
}

func (s *feedSource) Close() error { return s.subscriber.Close() }

// Decode decodes what the log recorded.
func Decode(recorded []eventstore.Recorded) []Decoded {
	out := make([]Decoded, len(recorded))
	for i, r := range recorded {
		envelope, err := eventcodec.Decode(r)
		if err != nil {
			envelope = eventcodec.Envelope{
				ID: r.ID, Stream: r.Stream, Revision: r.Revision, Position: r.Position, RecordedAt: r.RecordedAt, Type: r.Type,
			}
		}
		out[i] = Decoded{envelope, err}
	}
	return out
}
