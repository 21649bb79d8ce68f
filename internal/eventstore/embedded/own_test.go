package embedded_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
)

func TestWhatStoresKeepForThemselvesIsPassedOverAndProgressToldAllTheSame(t *testing.T) {
	for name, opts := range map[string][]embedded.Option{"from memory": nil, "from the file": {embedded.WithTail(1, 1)}} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s, err := embedded.Open(ctx, filepath.Join(t.TempDir(), "events.db"), opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var last eventstore.Position
			for _, stream := range []string{"session-1", "$$session-1", "session-1", "$$session-2"} {
				e := []eventstore.Event{{ID: uuid.New(), Type: "Happened"}}
				at, err := s.Append(ctx, stream, eventstore.Any, e)
				if err != nil {
					t.Fatal(err)
				}
				last = at.Position
			}
			sub, err := s.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			for n := 0; ; {
				b, err := sub.Next(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				n += len(b.Events)
				if b.CaughtUp {
					if n != 2 || b.Position != last {
						t.Fatalf("%d events up to %d, want 2 up to %d", n, b.Position, last)
					}
					break
				}
			}
			n := 0
			for _, err := range s.ReadStream(ctx, "$$session-1", 0, eventstore.Forwards, 0) {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("%d events are read by name, want 1", n)
			}
			for filter, want := range map[string]int{"": 2, "$": 2, "session": 2} {
				f := eventstore.Filter{}
				if filter != "" {
					f.StreamPrefixes = []string{filter}
				}
				n := 0
				for _, err := range s.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, f) {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				if n != want {
					t.Errorf("prefix %q: %d events, want %d", filter, n, want)
				}
			}
		})
	}
}
