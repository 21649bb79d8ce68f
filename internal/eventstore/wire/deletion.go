package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	deletionsKept = 64 << 10 // streams of which it is remembered whether they are deleted
	markPatience  = 30 * time.Second

	// Types of marks, as EventStoreDB has them.
	typeMetadata  = "$metadata"
	typeTombstone = "$streamDeleted"
)

// deletion is what of a stream is deleted: the events before from, or all of it for good.
type deletion struct {
	from uint64
	gone bool
}

// hides tells whether a stream that ends at a revision shows nothing. One without events is not deleted.
func (d deletion) hides(last eventstore.Expected) bool { return last >= 0 && uint64(last) < d.from }

// allows tells whether a stream that ends at a revision may be deleted by who expects it so.
func (d deletion) allows(stream string, expected, last eventstore.Expected) error {
	switch {
	case expected == eventstore.StreamExists && d.hides(last):
		return eventstore.ErrStreamDeleted
	case expected == eventstore.Any, expected == last, expected == eventstore.StreamExists && last >= 0,
		expected == eventstore.NoStream && d.hides(last):
		return nil
	}
	return &eventstore.WrongRevision{Stream: stream, Expected: expected, Actual: last}
}

// mark is the data of a deletion, in the words of EventStoreDB's metadata of a stream.
type mark struct {
	TruncateBefore uint64 `json:"$tb"`
}

// deletions knows which streams are deleted. What it does not remember it reads from the end of "$$<name>", where it is
// the only writer.
type deletions struct {
	store   eventstore.Store
	marking chan struct{} // one slot: one mark at a time

	mu       sync.Mutex
	known    *simplelru.LRU[string, deletion]
	changes  uint64                           // counts beginnings and ends of marking
	watchers map[string]map[*watcher]struct{} // by stream
}

// watcher is told when its stream is gone for good.
type watcher struct{ gone func() }

func newDeletions(store eventstore.Store) *deletions {
	known, _ := simplelru.NewLRU[string, deletion](deletionsKept, nil) // fails for a size below 1
	return &deletions{store: store, marking: make(chan struct{}, 1), known: known, watchers: map[string]map[*watcher]struct{}{}}
}

// of tells what of a stream is deleted.
func (d *deletions) of(ctx context.Context, stream string) (deletion, error) {
	if eventstore.Own(stream) {
		return deletion{}, nil
	}
	d.mu.Lock()
	known, ok := d.known.Get(stream)
	changes := d.changes
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	known, err := d.read(ctx, stream)
	if err != nil {
		return deletion{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes == changes { // otherwise a mark may have been set after it was read
		d.known.Add(stream, known)
	}
	return known, nil
}

// read looks the last mark of a stream up.
func (d *deletions) read(ctx context.Context, stream string) (deletion, error) {
	for e, err := range d.store.ReadStream(ctx, marks(stream), math.MaxUint64, eventstore.Backwards, 1) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		if err != nil {
			return deletion{}, err
		}
		var m mark
		if err := json.Unmarshal(e.Data, &m); err != nil {
			return deletion{}, fmt.Errorf("read the mark of a deletion at position %d: %w", e.Position, err)
		}
		return deletion{from: m.TruncateBefore, gone: e.Type == typeTombstone}, nil
	}
	return deletion{}, nil
}

// marks is the stream that holds the marks of a stream.
func marks(stream string) string { return "$$" + stream }

// mark deletes a stream as far as it goes, or for good. It tells where the mark stands.
func (d *deletions) mark(ctx context.Context, stream string, expected eventstore.Expected, forGood bool) (eventstore.Position, error) {
	select {
	case d.marking <- struct{}{}:
		defer func() { <-d.marking }()
	case <-ctx.Done():
		return eventstore.Start, ctx.Err()
	}
	now, err := d.of(ctx, stream)
	if err != nil {
		return eventstore.Start, err
	}
	if now.gone {
		return eventstore.Start, eventstore.ErrStreamDeleted
	}
	last, err := lastRevision(ctx, d.store, stream)
	if err == nil {
		err = now.allows(stream, expected, last)
	}
	if err != nil {
		return eventstore.Start, err
	}
	return d.set(ctx, stream, deletion{from: uint64(last + 1), gone: forGood})
}

// set appends a mark. It does not end with ctx, so that its outcome is known and what is remembered stays true.
func (d *deletions) set(ctx context.Context, stream string, to deletion) (eventstore.Position, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markPatience)
	defer cancel()
	data, err := json.Marshal(mark{TruncateBefore: to.from})
	if err != nil {
		return eventstore.Start, err
	}
	e := eventstore.Event{ID: uuid.New(), Type: typeMetadata, Data: data, Metadata: []byte(`{}`)}
	if to.gone {
		e.Type = typeTombstone
	}
	d.forget(stream)
	appended, err := d.store.Append(ctx, marks(stream), eventstore.Any, []eventstore.Event{e})
	if err != nil {
		d.forget(stream)
		return eventstore.Start, err
	}
	d.remember(stream, to)
	return appended.Position, nil
}

// forget makes the next who asks look, and those who have looked before not remember it.
func (d *deletions) forget(stream string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	d.known.Remove(stream)
}

func (d *deletions) remember(stream string, now deletion) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	d.known.Add(stream, now)
	if now.gone {
		for w := range d.watchers[stream] {
			w.gone()
		}
	}
}

// watch has gone called when a stream is deleted for good, until leave is called.
func (d *deletions) watch(stream string, gone func()) (leave func()) {
	w := &watcher{gone}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.watchers[stream] == nil {
		d.watchers[stream] = map[*watcher]struct{}{}
	}
	d.watchers[stream][w] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers[stream], w)
		if len(d.watchers[stream]) == 0 {
			delete(d.watchers, stream)
		}
	}
}
