package eventstoredb_test

import (
	"os"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
)

func TestStoreOverWireInMemoryConforms(t *testing.T) {
	conforms(t, func(testing.TB) eventstore.Store { return storetest.NewMemory() }, storetest.WithLongOutage())
}

func TestStoreOverWireOnSQLiteConforms(t *testing.T) { conforms(t, teststore.Embedded) }

func conforms(t *testing.T, behind func(testing.TB) eventstore.Store, opts ...storetest.Option) {
	servers := map[eventstore.Store]*server{}
	opts = append(opts,
		storetest.WithReopen(func(t *testing.T, s eventstore.Store) eventstore.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			server := servers[s]
			server.Stop()
			server.Start()
			again := connect(t, server.URL())
			servers[again] = server
			return again
		}),
		storetest.WithOutage(func(_ *testing.T, s eventstore.Store) (stop, start func()) {
			return servers[s].Stop, servers[s].Start
		}),
	)
	storetest.Run(t, func(t *testing.T) eventstore.Store {
		s := serve(t, behind(t))
		store := connect(t, s.URL())
		servers[store] = s
		return store
	}, opts...)
}

// TestRealServerConforms runs against the server of a connection string, on streams that nobody else uses.
func TestRealServerConforms(t *testing.T) {
	address := os.Getenv("CHATWATCH_TEST_EVENTSTORE")
	if address == "" {
		t.Skip("SKIPPED: CHATWATCH_TEST_EVENTSTORE names no EventStoreDB or KurrentDB (esdb://…) to run the conformance suite against")
	}
	storetest.Run(t,
		func(t *testing.T) eventstore.Store { return connect(t, address) },
		storetest.WithReopen(func(t *testing.T, s eventstore.Store) eventstore.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return connect(t, address)
		}),
	)
}
