// Package projectiontest is what the tests of projections share: a migrated database in a temporary file, a log in memory,
// and histories that the deciders of the domain have made from random commands. It decides nothing itself.
package projectiontest

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/projections"
)

// Log is a log in memory. The zero value is empty and usable.
type Log struct {
	// Step is how many events a batch of a source has at most; all that there are when 0.
	Step int

	mu      sync.Mutex
	events  []projections.Decoded
	next    map[string]uint64
	changed chan struct{}
}

// Append adds events to a stream, as they happened at a time, and gives the position of the last one.
func Append[E any](l *Log, stream string, at time.Time, events ...E) eventstore.Position {
	for _, e := range events {
		l.Add(projections.Decoded{Envelope: eventcodec.Envelope{
			ID: uuid.New(), Stream: stream, Type: eventcodec.NameOf(e), RecordedAt: at, Event: e,
			Metadata: eventcodec.Metadata{OccurredAt: at, Actor: domain.System},
		}})
	}
	head, _ := l.Head(context.Background())
	return head
}

// Add adds an event, and gives it its place.
func (l *Log) Add(e projections.Decoded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = map[string]uint64{}
	}
	e.Position, e.Revision = eventstore.Position(len(l.events)+1), l.next[e.Stream]
	l.next[e.Stream]++
	if e.RecordedAt.IsZero() {
		e.RecordedAt = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	}
	l.events = append(l.events, e)
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// Events of the log so far.
func (l *Log) Events() []projections.Decoded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events[:len(l.events):len(l.events)]
}

// Head implements projections.Log.
func (l *Log) Head(context.Context) (eventstore.Position, error) {
	return eventstore.Position(len(l.Events())), nil
}

// Stream implements projections.Log.
func (l *Log) Stream(_ context.Context, stream string, from uint64) iter.Seq2[projections.Decoded, error] {
	return func(yield func(projections.Decoded, error) bool) {
		for _, e := range l.Events() {
			if e.Stream == stream && e.Revision >= from && !yield(e, nil) {
				return
			}
		}
	}
}

// Follow implements projections.Log.
func (l *Log) Follow(_ context.Context, after eventstore.Position) (projections.Source, error) {
	return &source{l, after}, nil
}

type source struct {
	log   *Log
	after eventstore.Position
}

func (s *source) Next(ctx context.Context) (projections.Batch, error) {
	for {
		events, changed := s.log.from(s.after)
		if len(events) > 0 {
			caughtUp := true
			if s.log.Step > 0 && len(events) > s.log.Step {
				events, caughtUp = events[:s.log.Step], false
			}
			s.after += eventstore.Position(len(events))
			return projections.Batch{Events: events, Position: s.after, CaughtUp: caughtUp}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return projections.Batch{}, ctx.Err()
		}
	}
}

func (s *source) Close() error { return nil }

func (l *Log) from(after eventstore.Position) ([]projections.Decoded, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.events[after:len(l.events):len(l.events)], l.changed
}
