package embedded_test

import (
	"context"
	"path/filepath"
	"testing"

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

func event() eventstore.Event {
	return eventstore.Event{
		ID: uuid.New(), Type: "PublicMessageSent",
		Data: []byte(`{"text":"hello"}`), Metadata: []byte(`{"$correlationId":"c"}`),
	}
}
