package eventstoredb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

// TestNothingIsLeftBehindByLostConnections takes the server away again and again while many calls are under way, which is
// when the client's own reconnection leaves connections open and callers hanging.
func TestNothingIsLeftBehindByLostConnections(t *testing.T) {
	server := serve(t, storetest.NewMemory())
	store := server.open(eventstoredb.WithPatience(200*time.Millisecond), eventstoredb.WithPauses(time.Millisecond, 5*time.Millisecond))
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	for i := range 24 {
		stream := fmt.Sprintf("session-%d", i)
		calls.Go(func() {
			for ctx.Err() == nil {
				_, _ = store.Append(ctx, stream, eventstore.Any, []eventstore.Event{event("A")})
				for range store.ReadStream(ctx, stream, 0, eventstore.Forwards, 10) {
				}
				_, _ = store.Head(ctx)
			}
		})
	}
	sub, err := store.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	calls.Go(func() {
		for ctx.Err() == nil {
			_, _ = sub.Next(ctx)
		}
	})
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for range 15 {
		<-again.C
		server.Stop()
		<-again.C
		server.Start()
	}
	cancel()
	calls.Wait()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	for patience := time.After(45 * time.Second); ; { // a retired link ends what goes on for too long after 30
		left := goroutines("EventStore-Client-Go", "eventstoredb.", "grpc.")
		if len(left) == 0 {
			return
		}
		select {
		case <-again.C:
		case <-patience:
			t.Fatalf("%d goroutines are left:\n%s", len(left), left[0])
		}
	}
}

// goroutines are the stacks of those that run in one of the packages, this one's tests apart.
func goroutines(packages ...string) (found []string) {
	buffer := make([]byte, 4<<20)
	for _, stack := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		for _, p := range packages {
			if strings.Contains(stack, p) && !strings.Contains(stack, "testing.tRunner") {
				found = append(found, stack)
				break
			}
		}
	}
	return found
}

func TestAnUnreachableServerIsToldInOneLineWithoutThePassword(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	for name, address := range map[string]string{
		"nobody listens": "esdb://admin:s3cret@" + nobody.Addr().String() + "?tls=true",
		"several":        "esdb://admin:s3cret@" + nobody.Addr().String() + "," + nobody.Addr().String() + "?tls=true",
		"a mute peer":    "esdb://" + silent.Addr().String() + "?tls=false&gossipTimeout=1",
	} {
		t.Run(name, func(t *testing.T) {
			settings, err := eventstoredb.ParseSettings(address)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = eventstoredb.Open(t.Context(), settings)
			if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), settings.String()) {
				t.Fatalf("%v does not tell that %s is unavailable", err, settings)
			}
			if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "\n") {
				t.Errorf("the line is %q", text)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err = eventstoredb.Open(ctx, settings, eventstoredb.WithWait(time.Minute))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, want the end of the context", err)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
			t.Log(err)
		})
	}
}

func TestOpenWaitsForAServerThatComesUpLater(t *testing.T) {
	server := serve(t, storetest.NewMemory())
	server.Stop()
	timer := time.AfterFunc(300*time.Millisecond, server.Start)
	defer timer.Stop()
	store := server.open(eventstoredb.WithWait(time.Minute))
	if head, err := store.Head(t.Context()); err != nil || head != eventstore.Start {
		t.Fatalf("%d %v", head, err)
	}
}

func TestCallsFailAtOnceOnceTheirPatienceIsOver(t *testing.T) {
	server := serve(t, storetest.NewMemory())
	store := server.open(eventstoredb.WithPatience(150 * time.Millisecond))
	fill(t, store, "session-1", 1)
	server.Stop()
	if _, err := store.Head(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatal(err)
	}
	for { // until the connection has been missing for long enough
		began := time.Now()
		_, err := store.Append(t.Context(), "session-1", eventstore.Exactly(0), []eventstore.Event{event("A")})
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatal(err)
		}
		if time.Since(began) < 50*time.Millisecond {
			break
		}
	}
	server.Start()
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := store.Append(t.Context(), "session-1", eventstore.Exactly(0), []eventstore.Event{event("A")})
		if err == nil {
			return
		}
		if !errors.Is(err, eventstore.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
