package embedded_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

func TestStoreConforms(t *testing.T) { conforms(t) }

// TestStoreWithTinyBoundsConforms keeps next to nothing in memory, so that followers read the file, groups are cut, and
// readers wait for each other.
func TestStoreWithTinyBoundsConforms(t *testing.T) {
	conforms(t, embedded.WithTail(8, 4<<10), embedded.WithGroup(3, 1<<10), embedded.WithReaders(1))
}

func conforms(t *testing.T, opts ...embedded.Option) {
	paths := map[eventstore.Store]string{}
	open := func(t *testing.T, path string) eventstore.Store {
		s, err := embedded.Open(context.Background(), path, opts...)
		if err != nil {
			t.Fatal(err)
		}
		paths[s] = path
		return s
	}
	storetest.Run(t,
		func(t *testing.T) eventstore.Store { return open(t, filepath.Join(t.TempDir(), "events.db")) },
		storetest.WithPromptProgress(),
		storetest.WithReopen(func(t *testing.T, s eventstore.Store) eventstore.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, paths[s])
		}),
	)
}
