package storetest_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

func TestMemoryConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) eventstore.Store { return storetest.NewMemory() }, storetest.WithPromptProgress())
}

func TestMemoryThatCannotBeReachedAtTimesConforms(t *testing.T) {
	t.Parallel()
	for name, patient := range map[string]bool{"and says so": false, "and waits": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runRemote(t, patient, "")
		})
	}
}

func TestTruncatedLogEndsEarlierAndGoesOn(t *testing.T) {
	ctx := t.Context()
	m := storetest.NewMemory()
	batch := func(n int) []eventstore.Event {
		events := make([]eventstore.Event, n)
		for i := range events {
			events[i] = eventstore.Event{ID: uuid.New(), Type: "Happened"}
		}
		return events
	}
	lost := batch(3)
	for _, a := range []struct {
		stream string
		events []eventstore.Event
	}{{"a", batch(2)}, {"b", lost}, {"c", batch(1)}} {
		if _, err := m.Append(ctx, a.stream, eventstore.NoStream, a.events); err != nil {
			t.Fatal(err)
		}
	}
	m.Truncate(9)
	m.Truncate(3)
	if head, err := m.Head(ctx); err != nil || head != 3 || m.Len() != 3 {
		t.Fatalf("the log ends at %d with %d events (%v), want 3", head, m.Len(), err)
	}
	for position, want := range map[eventstore.Position]bool{3: true, 4: false, 6: false} {
		if got, err := eventstore.Reaches(ctx, m, position); err != nil || got != want {
			t.Errorf("the log reaches %d: %v (%v)", position, got, err)
		}
	}
	got, err := m.Append(ctx, "b", eventstore.Exactly(0), lost[1:])
	if want := (eventstore.Appended{Revision: 2, Position: 5}); err != nil || got != want {
		t.Fatalf("what was lost is appended again: %+v (%v), want %+v", got, err, want)
	}
	got, err = m.Append(ctx, "c", eventstore.NoStream, batch(1))
	if want := (eventstore.Appended{Revision: 0, Position: 6}); err != nil || got != want {
		t.Fatalf("a stream that was lost begins again: %+v (%v), want %+v", got, err, want)
	}
}
