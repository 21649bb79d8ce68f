package eventstoredb_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// secured serves over TLS to the user ops with the password p@ss, and gives the certificate's file.
func secured(t *testing.T) (address, file string) {
	t.Helper()
	own, file, _ := teststore.Certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := wire.New(wire.Config{
		Store: storetest.NewMemory(), Writes: true, TLS: &tls.Config{Certificates: []tls.Certificate{own}},
		Authorize: func(_ context.Context, user, password string, _ bool) (until time.Time, err error) {
			if user != "ops" || password != "p@ss" {
				return until, wire.ErrUnauthenticated
			}
			return until, nil
		},
	})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), file
}

func TestTLSWithUserAndPassword(t *testing.T) {
	address, file := secured(t)
	other, _ := secured(t)
	ca := "?tls=true&tlsCaFile=" + url.QueryEscape(file)
	store := connect(t, "esdb://ops:p%40ss@"+address+ca)
	defer store.Close()
	e := event("A")
	if _, err := store.Append(t.Context(), "session-1", eventstore.NoStream, []eventstore.Event{e}); err != nil {
		t.Fatal(err)
	}
	if got := follow(t, store, eventstore.Filter{}, 1); got[0] != e.ID {
		t.Fatalf("%v", got)
	}
	for name, c := range map[string]struct {
		address string
		refused bool
		tells   string
	}{
		"a wrong password":         {"esdb://ops:wrong@" + address + ca, true, "refuses the user"},
		"no user":                  {"esdb://" + address + ca, true, "refuses the user"},
		"another's certificate":    {"esdb://ops:p%40ss@" + other + ca, false, "certificate"},
		"plain text to a TLS port": {"esdb://" + address + "?tls=false", false, address},
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := eventstoredb.ParseSettings(c.address)
			if err != nil {
				t.Fatal(err)
			}
			wait := time.Duration(0)
			if c.refused {
				wait = time.Minute // which must not be waited for
			}
			began := time.Now()
			_, err = eventstoredb.Open(t.Context(), settings, eventstoredb.WithWait(wait))
			if !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstoredb.ErrRefused) != c.refused {
				t.Fatalf("%v", err)
			}
			if !strings.Contains(err.Error(), c.tells) || strings.Contains(err.Error(), "wrong") {
				t.Errorf("%q, want it to tell of %q", err, c.tells)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestClustersAreDiscoveredByGossip(t *testing.T) {
	server := serve(t, storetest.NewMemory())
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	for name, address := range map[string]string{
		"by name":       "esdb+discover://" + server.Address() + "?tls=false",
		"several hosts": "esdb://" + nobody.Addr().String() + "," + server.Address() + "?tls=false",
	} {
		t.Run(name, func(t *testing.T) {
			store := connect(t, address)
			defer store.Close()
			if _, err := store.Append(t.Context(), "session-"+name, eventstore.NoStream, []eventstore.Event{event("A")}); err != nil {
				t.Fatal(err)
			}
			server.Stop()
			server.Start()
			if _, err := store.Append(t.Context(), "session-"+name, eventstore.Exactly(0), []eventstore.Event{event("A")}); err != nil {
				t.Fatalf("after a restart: %v", err)
			}
		})
	}
}
