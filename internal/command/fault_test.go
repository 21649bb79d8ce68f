package command_test

import (
	"context"
	"iter"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// fate is what becomes of the events of an append that fails.
type fate string

const (
	lost   fate = "never stored"
	stored fate = "stored"
	late   fate = "stored after the next append" // the answer came before the events did
)

// faults is a store whose k-th append fails. With dies, nothing works afterwards: the process is gone.
type faults struct {
	eventstore.Store
	mu      sync.Mutex
	appends int
	failAt  int // counted from 1; 0 for never
	fate    fate
	pending func() // stores what is late
	dies    bool
	tripped bool
}

func (f *faults) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	fails, dead := f.count()
	store := func() { _, _ = f.Store.Append(context.WithoutCancel(ctx), stream, expected, events) }
	switch {
	case fails && f.fate == stored:
		store()
	case fails && f.fate == late:
		f.mu.Lock()
		f.pending = store
		f.mu.Unlock()
	}
	if fails || dead {
		return eventstore.Appended{}, eventstore.ErrUnavailable
	}
	appended, err := f.Store.Append(ctx, stream, expected, events)
	f.flush()
	return appended, err
}

// flush stores what is late.
func (f *faults) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending != nil {
		f.pending()
		f.pending = nil
	}
}

func (f *faults) count() (fails, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.appends++
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
