package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
)

func open(t *testing.T, path string, opts ...embedded.Option) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(context.Background(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAppendedEventsAreReadAgainAfterReopening(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "events.db")
	s := open(t, path)
	for i := range 3 {
		got, err := s.Append(ctx, "session-1", eventstore.Expected(i-1), []eventstore.Event{event()})
		if want := (eventstore.Appended{Revision: uint64(i), Position: eventstore.Position(i + 1)}); err != nil || got != want {
			t.Fatalf("append %d: %+v %v, want %+v", i, got, err, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	next := eventstore.Position(1)
	for e, err := range s.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
		if err != nil || e.Position != next || e.Stream != "session-1" || string(e.Data) != `{"text":"hello"}` {
			t.Fatalf("%+v %v", e, err)
		}
		next++
	}
	if next != 4 {
		t.Fatalf("read up to %d", next-1)
	}
}

func TestSecondWriterIsToldWhichFileIsInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	s := open(t, path)
	if _, err := embedded.Open(context.Background(), path); !errors.Is(err, embedded.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestForeignFilesAreRefused(t *testing.T) {
	ctx := context.Background()
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no database"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the lock is free again
		if _, err := embedded.Open(ctx, text); err == nil || errors.Is(err, embedded.ErrInUse) {
			t.Fatal(err)
		}
	}
	if _, err := embedded.OpenReadOnly(ctx, filepath.Join(t.TempDir(), "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

func TestReadOnlyStoreFollowsBesideTheWriter(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "events.db")
	s := open(t, path)
	write := func() eventstore.Appended {
		at, err := s.Append(ctx, "session-1", eventstore.Any, []eventstore.Event{event()})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	write()
	ro, err := embedded.OpenReadOnly(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ro.Append(ctx, "session-1", eventstore.Any, []eventstore.Event{event()}); !errors.Is(err, embedded.ErrReadOnly) {
		t.Fatal(err)
	}
	sub, err := ro.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for seen, last := 0, write(); seen < 5; {
		b, err := sub.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if seen += len(b.Events); b.Position == last.Position && seen < 5 {
			last = write()
		}
	}
	if len(checkDense(t, ro)) != 5 {
		t.Fatal("the read-only store does not hold the log")
	}
	if err := ro.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.Next(ctx); !errors.Is(err, eventstore.ErrClosed) {
		t.Fatal(err)
	}
	write()
}

func TestPositionBeyondTheEndIsRefused(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "events.db"))
	if _, err := s.Subscribe(context.Background(), 7, eventstore.Filter{}); !errors.Is(err, eventstore.ErrInvalid) {
		t.Fatal(err)
	}
}

func TestRecordedTimesNeverGoBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	noon := time.Date(2026, 5, 1, 12, 0, 0, 123456789, time.UTC)
	for _, now := range []time.Time{noon, noon.Add(-time.Hour), noon.Add(time.Second)} {
		s := open(t, path, embedded.WithClock(func() time.Time { return now }))
		if _, err := s.Append(context.Background(), "a", eventstore.Any, []eventstore.Event{event()}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	kept := noon.Truncate(time.Microsecond)
	want := []time.Time{kept, kept, kept.Add(time.Second)}
	for e, err := range s.ReadStream(context.Background(), "a", 0, eventstore.Forwards, 0) {
		if err != nil || !e.RecordedAt.Equal(want[e.Revision]) {
			t.Fatalf("event %d was recorded at %v (%v), want %v", e.Revision, e.RecordedAt, err, want[e.Revision])
		}
	}
}

func TestWriteAheadLogStaysShort(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 80 MB")
	}
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "events.db")
	s := open(t, path)
	sub, err := s.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]eventstore.Event, 100)
	var largest int64
	for i := range 400 {
		for n := range batch {
			batch[n] = event()
			batch[n].Data = bytes.Repeat([]byte("x"), 2000)
		}
		if _, err := s.Append(ctx, fmt.Sprintf("session-%d", i%50), eventstore.Any, batch); err != nil {
			t.Fatal(err)
		}
		if _, err := sub.Next(ctx); err != nil { // somebody reads all the time
			t.Fatal(err)
		}
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	if largest > 48<<20 {
		t.Fatalf("the write-ahead log grew to %d bytes", largest)
	}
}

func event() eventstore.Event {
	return eventstore.Event{
		ID: uuid.New(), Type: "PublicMessageSent",
		Data: []byte(`{"text":"hello"}`), Metadata: []byte(`{"$correlationId":"c"}`),
	}
}
