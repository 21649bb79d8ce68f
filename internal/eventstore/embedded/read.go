package embedded

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// lookAtContext is after how many events an iteration asks whether its context has ended.
const lookAtContext = 64

// ReadStream yields the events of one stream, in pages that are read as they are asked for.
func (s *Store) ReadStream(ctx context.Context, stream string, from uint64, direction eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	backwards := direction == eventstore.Backwards
	return func(yield func(eventstore.Recorded, error) bool) {
		from, left := from, unlimited(limit)
		for {
			var p page
			err := s.readers.use(ctx, func(r *reader) error {
				sid, err := r.streamID(stream)
				if err == nil && sid == 0 {
					return fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
				}
				if err == nil {
					p, err = r.streamPage(sid, backwards, from, min(left, pageRows))
				}
				return err
			})
			if !yieldAll(ctx, yield, p.events, err) {
				return
			}
			left -= len(p.events)
			if !p.more || left <= 0 || backwards && p.last.Revision == 0 {
				return
			}
			if from = p.last.Revision + 1; backwards {
				from = p.last.Revision - 1
			}
		}
	}
}

// ReadAll yields the events of all streams that pass the filter, in pages that are read as they are asked for.
func (s *Store) ReadAll(ctx context.Context, from eventstore.Position, direction eventstore.Direction, limit int, filter eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	filter = cloned(filter)
	backwards := direction == eventstore.Backwards
	return func(yield func(eventstore.Recorded, error) bool) {
		to, err := s.Head(ctx)
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		from, left := from, unlimited(limit)
		if backwards { // what stands in the file already and is not published is not yet there
			from = min(from, to)
		}
		for {
			var p page
			err := s.readers.use(ctx, func(r *reader) (err error) {
				p, err = r.logPage(backwards, from, to, rowsFor(left, filter), filter)
				return err
			})
			if !yieldAll(ctx, yield, p.events[:min(left, len(p.events))], err) {
				return
			}
			left -= len(p.events)
			if !p.more || left <= 0 {
				return
			}
			if from = p.last.Position; backwards {
				from = p.last.Position - 1
			}
		}
	}
}

// rowsFor is how many rows to look at for so many events.
func rowsFor(left int, f eventstore.Filter) int {
	if len(f.StreamPrefixes) > 0 || len(f.Types) > 0 {
		return pageRows
	}
	return min(left, pageRows)
}

func unlimited(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// yieldAll yields events, or an error, and tells whether the iteration goes on.
func yieldAll(ctx context.Context, yield func(eventstore.Recorded, error) bool, events []eventstore.Recorded, err error) bool {
	if err != nil {
		yield(eventstore.Recorded{}, err)
		return false
	}
	for i := range events {
		if i%lookAtContext == 0 && ctx.Err() != nil {
			yield(eventstore.Recorded{}, ctx.Err())
			return false
		}
		if !yield(events[i], nil) {
			return false
		}
	}
	return true
}
