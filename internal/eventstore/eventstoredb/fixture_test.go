package eventstoredb_test

import (
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
)

// server is a wire server with the store behind it.
type server struct {
	*teststore.Server
	t     testing.TB
	store eventstore.Store
}

// serve serves a store until the end of the test.
func serve(t testing.TB, store eventstore.Store, options ...grpc.ServerOption) *server {
	t.Helper()
	return &server{teststore.Serve(t, store, options...), t, store}
}

// open connects to the server, and closes the store at the end of the test.
func (s *server) open(opts ...eventstoredb.Option) *eventstoredb.Store {
	s.t.Helper()
	store := connect(s.t, s.URL(), opts...)
	s.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return store
}

func connect(t testing.TB, address string, opts ...eventstoredb.Option) *eventstoredb.Store {
	t.Helper()
	settings, err := eventstoredb.ParseSettings(address)
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]eventstoredb.Option{eventstoredb.WithPauses(5*time.Millisecond, 100*time.Millisecond)}, opts...)
	store, err := eventstoredb.Open(t.Context(), settings, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
