package command_test

import (
	"context"
	"iter"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// faults is a store whose k-th append fails, before or after it was stored. With dies, nothing works afterwards: the process
// is gone.
type faults struct {
	eventstore.Store
	mu       sync.Mutex
	appends  int
	failAt   int // counted from 1; 0 for never
	stored   bool
	dies     bool
	tripped  bool
	appended []string // streams
}

func (f *faults) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	fails, dead := f.count(stream)
	switch {
	case dead, fails && !f.stored:
		return eventstore.Appended{}, eventstore.ErrUnavailable
	}
	appended, err := f.Store.Append(ctx, stream, expected, events)
	if fails {
		return eventstore.Appended{}, eventstore.ErrUnavailable
	}
	return appended, err
}

func (f *faults) count(stream string) (fails, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.appends++
	f.appended = append(f.appended, stream)
	dead = f.tripped && f.dies
	fails = f.failAt > 0 && f.appends == f.failAt
	f.tripped = f.tripped || fails
	return fails, dead
}

func (f *faults) ReadStream(ctx context.Context, stream string, from uint64, d eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	f.mu.Lock()
	dead := f.tripped && f.dies
	f.mu.Unlock()
	if dead {
		return func(yield func(eventstore.Recorded, error) bool) {
			yield(eventstore.Recorded{}, eventstore.ErrUnavailable)
		}
	}
	return f.Store.ReadStream(ctx, stream, from, d, limit)
}

// interleaved is a store that lets something else happen once, right before the first append to a stream.
type interleaved struct {
	eventstore.Store
	before string
	do     func()
	once   sync.Once
}

func (i *interleaved) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if stream == i.before {
		i.once.Do(i.do)
	}
	return i.Store.Append(ctx, stream, expected, events)
}
