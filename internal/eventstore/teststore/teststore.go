// Package teststore opens the event store on which the product's tests run: the embedded one, or the EventStoreDB adapter over
// the wire to an embedded one when CHATWATCH_TEST_STORE is "wire". `make test` runs them on both. It is for tests only.
package teststore

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// OverWire tells whether the tests run on the adapter.
func OverWire() bool { return os.Getenv("CHATWATCH_TEST_STORE") == "wire" }

// Open opens an empty store for the duration of a test.
func Open(t testing.TB) eventstore.Store {
	t.Helper()
	if OverWire() {
		return Connect(t, Serve(t, Embedded(t)).URL())
	}
	return Embedded(t)
}

// Embedded opens an empty embedded store for the duration of a test.
func Embedded(t testing.TB) eventstore.Store {
	t.Helper()
	s, err := embedded.Open(context.Background(), filepath.Join(t.TempDir(), "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, s)
}

// Connect opens the adapter for the duration of a test.
func Connect(t testing.TB, url string, opts ...eventstoredb.Option) eventstore.Store {
	t.Helper()
	settings, err := eventstoredb.ParseSettings(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := eventstoredb.Open(context.Background(), settings, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, s)
}

func closed(t testing.TB, s eventstore.Store) eventstore.Store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Server serves a store over the wire at one address, from which it can be taken away and to which it can be brought back.
type Server struct {
	t       testing.TB
	store   eventstore.Store
	options []grpc.ServerOption
	address string
	wire    *wire.Server
	ended   chan error
}

// Serve serves a store until the end of the test, with further options of the gRPC server.
func Serve(t testing.TB, store eventstore.Store, options ...grpc.ServerOption) *Server {
	t.Helper()
	s := &Server{t: t, store: store, options: options, address: "127.0.0.1:0"}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Address is where it listens, host and port.
func (s *Server) Address() string { return s.address }

// URL is what a client connects to.
func (s *Server) URL() string { return "esdb://" + s.address + "?tls=false" }

// Start serves again after Stop.
func (s *Server) Start() {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Errorf("serve again: %v", err)
		return
	}
	s.address = l.Addr().String()
	s.wire, s.ended = wire.New(wire.Config{Store: s.store, Writes: true, Options: s.options}), make(chan error, 1)
	go func(w *wire.Server, ended chan<- error) { ended <- w.Serve(l) }(s.wire, s.ended)
}

// Stop ends every call and connection, as a server's death does.
func (s *Server) Stop() {
	if s.wire == nil {
		return
	}
	s.wire.Stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("serve: %v", err)
	}
	s.wire = nil
}
