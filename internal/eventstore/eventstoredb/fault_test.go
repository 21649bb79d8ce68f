package eventstoredb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

// fault spoils what passes between the server and its callers. A nil function spoils nothing.
type fault struct {
	// begin is called before a call is handled; its error is the answer.
	begin func(ctx context.Context, method string) error
	// send stands between the handler and the caller. The method of a subscription is Subscribe once it stands.
	send func(ctx context.Context, method string, m any, send func(any) error) error
}

func (f *fault) option() grpc.ServerOption {
	return grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		method := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
		if f.begin != nil {
			if err := f.begin(s.Context(), method); err != nil {
				return err
			}
		}
		return handle(srv, &spoiled{ServerStream: s, fault: f, method: method})
	})
}

type spoiled struct {
	grpc.ServerStream
	fault  *fault
	method string
}

func (s *spoiled) SendMsg(m any) error {
	if r, ok := m.(*api.ReadResp); ok && r.GetConfirmation() != nil {
		s.method = "Subscribe"
	}
	if s.fault.send == nil {
		return s.ServerStream.SendMsg(m)
	}
	return s.fault.send(s.Context(), s.method, m, s.ServerStream.SendMsg)
}

func isEvent(m any) bool {
	r, ok := m.(*api.ReadResp)
	return ok && r.GetEvent() != nil
}

// behind a fault are a server in memory and a store connected to it.
func behind(t *testing.T, f *fault, opts ...eventstoredb.Option) (*server, *eventstoredb.Store) {
	t.Helper()
	s := serve(t, storetest.NewMemory(), f.option())
	return s, s.open(opts...)
}

func event(typ string) eventstore.Event {
	return eventstore.Event{ID: uuid.New(), Type: typ, Data: []byte(`{}`), Metadata: []byte(`{}`)}
}

// fill appends events straight to the store behind the server.
func fill(t testing.TB, s eventstore.Store, stream string, n int) (all []uuid.UUID, last eventstore.Position) {
	t.Helper()
	for range n {
		e := event("Happened")
		at, err := s.Append(t.Context(), stream, eventstore.Any, []eventstore.Event{e})
		if err != nil {
			t.Fatal(err)
		}
		all, last = append(all, e.ID), at.Position
	}
	return all, last
}

// follow subscribes from the start and collects n events.
func follow(t testing.TB, s eventstore.Store, f eventstore.Filter, n int) []uuid.UUID {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sub, err := s.Subscribe(ctx, eventstore.Start, f)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	var got []uuid.UUID
	for len(got) < n {
		b, err := sub.Next(ctx)
		if err != nil {
			t.Fatalf("next after %d of %d events: %v", len(got), n, err)
		}
		for _, e := range b.Events {
			got = append(got, e.ID)
		}
	}
	return got
}

func same(t testing.TB, got, want []uuid.UUID) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%d events, want %d, in the order of the log", len(got), len(want))
	}
}

func TestASubscriptionThatIsDroppedInMidBatchGoesOnWhereItWas(t *testing.T) {
	var sent, drops atomic.Int64
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if isEvent(m) && sent.Add(1)%37 == 0 && drops.Add(1) <= 20 {
			return status.Error(codes.Unavailable, "dropped")
		}
		return send(m)
	}}
	server, store := behind(t, f)
	want, _ := fill(t, server.store, "session-1", 500)
	same(t, follow(t, store, eventstore.Filter{}, 500), want)
	if drops.Load() < 10 {
		t.Fatalf("%d drops: the fault was not there", drops.Load())
	}
}

func TestAReadThatIsDroppedInMidBatchGoesOnWhereItWas(t *testing.T) {
	var sent, drops atomic.Int64
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if isEvent(m) && sent.Add(1)%41 == 0 && drops.Add(1) <= 30 {
			return status.Error(codes.Unavailable, "dropped")
		}
		return send(m)
	}}
	server, store := behind(t, f)
	want, _ := fill(t, server.store, "session-1", 300)
	for _, d := range []eventstore.Direction{eventstore.Forwards, eventstore.Backwards} {
		var stream, log []uuid.UUID
		from, place := uint64(0), eventstore.Start
		if d == eventstore.Backwards {
			from, place = 1<<63-2, eventstore.End
		}
		for e, err := range store.ReadStream(t.Context(), "session-1", from, d, 0) {
			if err != nil {
				t.Fatal(err)
			}
			stream = append(stream, e.ID)
		}
		for e, err := range store.ReadAll(t.Context(), place, d, 0, eventstore.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			log = append(log, e.ID)
		}
		expected := want
		if d == eventstore.Backwards {
			expected = make([]uuid.UUID, len(want))
			for i, id := range want {
				expected[len(want)-1-i] = id
			}
		}
		same(t, stream, expected)
		same(t, log, expected)
	}
	if drops.Load() < 10 {
		t.Fatalf("%d drops: the fault was not there", drops.Load())
	}
}

func TestWhatIsDeliveredTwiceComesOnce(t *testing.T) {
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if err := send(m); err != nil || !isEvent(m) {
			return err
		}
		return send(m)
	}}
	server, store := behind(t, f)
	want, _ := fill(t, server.store, "session-1", 100)
	same(t, follow(t, store, eventstore.Filter{}, 100), want)
}

// TestACheckpointThatNothingConfirmsIsNotGoneOnFrom is about servers that tell the end of the log as the checkpoint of a page
// without a match.
func TestACheckpointThatNothingConfirmsIsNotGoneOnFrom(t *testing.T) {
	var end atomic.Uint64
	var lies atomic.Int64
	f := &fault{send: func(_ context.Context, method string, m any, send func(any) error) error {
		if isEvent(m) && method == "Subscribe" && lies.Add(1) <= 3 {
			at := end.Load()
			checkpoint := &api.ReadResp_Checkpoint{CommitPosition: at, PreparePosition: at}
			if err := send(&api.ReadResp{Content: &api.ReadResp_Checkpoint_{Checkpoint: checkpoint}}); err != nil {
				return err
			}
			return status.Error(codes.Unavailable, "dropped")
		}
		return send(m)
	}}
	server, store := behind(t, f)
	want, last := fill(t, server.store, "session-1", 50)
	end.Store(uint64(last))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sub, err := store.Subscribe(ctx, eventstore.Start, eventstore.Filter{StreamPrefixes: []string{"session-"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	var got []uuid.UUID
	for len(got) < len(want) {
		b, err := sub.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Events) == 0 && b.Position >= last {
			t.Fatalf("position %d was told after %d of %d events", b.Position, len(got), len(want))
		}
		for _, e := range b.Events {
			got = append(got, e.ID)
		}
	}
	same(t, got, want)
	if lies.Load() < 4 {
		t.Fatalf("%d checkpoints: the fault was not there", lies.Load())
	}
}

func TestAnAppendWhoseAnswerWasLostIsNotDoubled(t *testing.T) {
	var lost atomic.Int64
	f := &fault{send: func(_ context.Context, method string, m any, send func(any) error) error {
		if method == "Append" && lost.Add(1)%3 != 0 {
			return status.Error(codes.Unavailable, "the answer is lost")
		}
		return send(m)
	}}
	server, store := behind(t, f)
	var want []uuid.UUID
	for i := range 20 {
		events := []eventstore.Event{event("A"), event("B")}
		at, err := store.Append(t.Context(), "session-1", eventstore.Expected(2*i-1), events)
		if err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		if at.Revision != uint64(2*i+1) || at.Position != eventstore.Position(2*i+2) {
			t.Fatalf("append %d was answered %+v", i, at)
		}
		want = append(want, events[0].ID, events[1].ID)
	}
	var got []uuid.UUID
	for e, err := range server.store.ReadStream(t.Context(), "session-1", 0, eventstore.Forwards, 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
	}
	same(t, got, want)
}

func TestAnAppendThatExpectsNothingIsNotSentTwice(t *testing.T) {
	var calls atomic.Int64
	f := &fault{send: func(_ context.Context, method string, m any, send func(any) error) error {
		if method == "Append" {
			calls.Add(1)
			return status.Error(codes.Unavailable, "the answer is lost")
		}
		return send(m)
	}}
	_, store := behind(t, f)
	_, err := store.Append(t.Context(), "session-1", eventstore.Any, []eventstore.Event{event("A")})
	if !errors.Is(err, eventstore.ErrUnavailable) || calls.Load() != 1 {
		t.Fatalf("%v after %d calls", err, calls.Load())
	}
}

func TestAnEarlyRefusalIsTriedAgain(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	f := &fault{begin: func(_ context.Context, method string) error {
		mu.Lock()
		defer mu.Unlock()
		if calls[method]++; calls[method] <= 5 || calls[method] == 7 {
			return status.Error(codes.Unavailable, "not yet")
		}
		return nil
	}}
	_, store := behind(t, f)
	e := event("A")
	if _, err := store.Append(t.Context(), "session-1", eventstore.NoStream, []eventstore.Event{e}); err != nil {
		t.Fatal(err)
	}
	same(t, follow(t, store, eventstore.Filter{}, 1), []uuid.UUID{e.ID})
}

func TestASilentServerIsLostAndCallsEndWithTheirContext(t *testing.T) {
	var silent atomic.Bool
	f := &fault{begin: func(ctx context.Context, _ string) error {
		if silent.Load() {
			<-ctx.Done()
		}
		return nil
	}}
	server, store := behind(t, f, eventstoredb.WithTimeout(300*time.Millisecond), eventstoredb.WithPatience(400*time.Millisecond))
	fill(t, server.store, "session-1", 3)
	silent.Store(true)
	calls := map[string]func(context.Context) error{
		"append": func(ctx context.Context) error {
			_, err := store.Append(ctx, "session-1", eventstore.Exactly(2), []eventstore.Event{event("A")})
			return err
		},
		"head":      func(ctx context.Context) error { _, err := store.Head(ctx); return err },
		"subscribe": func(ctx context.Context) error { _, err := store.Subscribe(ctx, 0, eventstore.Filter{}); return err },
		"read": func(ctx context.Context) (last error) {
			for _, err := range store.ReadStream(ctx, "session-1", 0, eventstore.Forwards, 0) {
				last = err
			}
			return last
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if err := call(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%v, want unavailable", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("%v, want the end of the context", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	silent.Store(false)
	if _, err := store.Append(t.Context(), "session-1", eventstore.Exactly(2), []eventstore.Event{event("A")}); err != nil {
		t.Fatalf("after the silence: %v", err)
	}
}

func TestASubscriptionThatFellSilentIsMadeAnew(t *testing.T) {
	var silent atomic.Bool
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if r, ok := m.(*api.ReadResp); ok && r.GetEvent() != nil && r.GetEvent().GetEvent().GetMetadata()["type"] == "Lost" && silent.Load() {
			return nil // swallowed, though the connection stands
		}
		return send(m)
	}}
	server, store := behind(t, f, eventstoredb.WithIdleCheck(50*time.Millisecond))
	sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if b, err := sub.Next(t.Context()); err != nil || !b.CaughtUp {
		t.Fatalf("%+v %v", b, err)
	}
	silent.Store(true)
	lost := event("Lost")
	if _, err := server.store.Append(t.Context(), "session-1", eventstore.NoStream, []eventstore.Event{lost}); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(200*time.Millisecond, func() { silent.Store(false) })
	defer timer.Stop()
	for {
		b, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Events) > 0 {
			if b.Events[0].ID != lost.ID {
				t.Fatalf("%+v", b)
			}
			return
		}
		if b.Position > eventstore.Start {
			t.Fatalf("position %d was told without the event before it", b.Position)
		}
	}
}

func TestALogThatCameBackShorterIsRefused(t *testing.T) {
	memory := storetest.NewMemory()
	server := serve(t, memory)
	store := server.open()
	_, last := fill(t, memory, "session-1", 20)
	sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for at := eventstore.Start; at < last; {
		b, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at = b.Position
	}
	server.Stop()
	memory.Truncate(10)
	server.Start()
	for {
		b, err := sub.Next(t.Context())
		if errors.Is(err, eventstore.ErrInvalid) {
			if text := err.Error(); !strings.Contains(text, "20") || !strings.Contains(text, "10") {
				t.Errorf("%q does not name both positions", text)
			}
			break
		}
		if err != nil || len(b.Events) > 0 {
			t.Fatalf("%+v %v", b, err)
		}
	}
	if whole, err := eventstore.Reaches(t.Context(), store, last); err != nil || whole {
		t.Errorf("the log reaches %d: %v %v", last, whole, err)
	}
}

func TestEverythingIsAskedOfTheLeader(t *testing.T) {
	var calls, asked atomic.Int64
	f := &fault{begin: func(ctx context.Context, _ string) error {
		calls.Add(1)
		md, _ := metadata.FromIncomingContext(ctx)
		if v := md.Get("requires-leader"); len(v) == 1 && v[0] == "true" {
			asked.Add(1)
		}
		return nil
	}}
	server, store := behind(t, f)
	fill(t, store, "session-1", 2)
	follow(t, store, eventstore.Filter{}, 2)
	if _, err := store.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range store.ReadStream(t.Context(), "session-1", 0, eventstore.Forwards, 0) {
	}
	if calls.Load() < 6 || calls.Load() != asked.Load() {
		t.Fatalf("%d of %d calls asked for the leader", asked.Load(), calls.Load())
	}
	_ = server
}

func TestAServerThatIsNoLongerTheLeaderIsLeftForTheOneThatIs(t *testing.T) {
	memory := storetest.NewMemory()
	leader := serve(t, memory)
	var follows atomic.Bool
	var refusals atomic.Int64
	host, port, _ := strings.Cut(leader.Address(), ":")
	f := &fault{}
	notLeader := grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		if !follows.Load() {
			return handle(srv, s)
		}
		refusals.Add(1)
		s.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "not the leader")
	})
	follower := serve(t, memory, f.option(), notLeader)
	store := follower.open()
	sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	want, _ := fill(t, store, "session-1", 2)
	follows.Store(true)
	for i := range 10 {
		e := event("A")
		if _, err := store.Append(t.Context(), "session-1", eventstore.Exactly(uint64(i+1)), []eventstore.Event{e}); err != nil {
			t.Fatal(err)
		}
		want = append(want, e.ID)
	}
	same(t, follow(t, store, eventstore.Filter{}, len(want)), want)
	if refusals.Load() == 0 {
		t.Fatal("the follower was not asked")
	}
}

func TestAServerThatIsTooOldIsToldAtOnce(t *testing.T) {
	old := grpc.ChainUnaryInterceptor(func(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, r)
		if methods, ok := answer.(*serverfeatures.SupportedMethods); ok {
			methods.EventStoreServerVersion = "22.10.3"
		}
		return answer, err
	})
	server := serve(t, storetest.NewMemory(), old)
	settings, err := eventstoredb.ParseSettings(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	_, err = eventstoredb.Open(t.Context(), settings, eventstoredb.WithWait(time.Minute))
	if err == nil || !strings.Contains(err.Error(), "22.10.3") {
		t.Fatalf("%v", err)
	}
}

func TestAnEventThatSharesItsCommitPositionIsRefused(t *testing.T) {
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if r, ok := m.(*api.ReadResp); ok && r.GetEvent() != nil {
			r.GetEvent().GetEvent().CommitPosition += 10
		}
		return send(m)
	}}
	server, store := behind(t, f)
	fill(t, server.store, "session-1", 1)
	for _, err := range store.ReadStream(t.Context(), "session-1", 0, eventstore.Forwards, 0) {
		if !errors.Is(err, eventstore.ErrInvalid) {
			t.Fatalf("%v", err)
		}
	}
}

func TestAnAnswerThatTheClientDoesNotKnowEndsTheCallAlone(t *testing.T) {
	f := &fault{send: func(_ context.Context, method string, m any, send func(any) error) error {
		if isEvent(m) && method == "Read" {
			return send(&api.ReadResp{Content: &api.ReadResp_LastStreamPosition{LastStreamPosition: 7}})
		}
		return send(m)
	}}
	server, store := behind(t, f, eventstoredb.WithPatience(100*time.Millisecond))
	fill(t, server.store, "session-1", 1)
	for _, err := range store.ReadStream(t.Context(), "session-1", 0, eventstore.Forwards, 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("%v", err)
		}
	}
	if _, err := store.Append(t.Context(), "session-1", eventstore.Exactly(0), []eventstore.Event{event("A")}); err != nil {
		t.Fatalf("the store after it: %v", err)
	}
}

// ownProcess says that a test runs in a process of its own.
const ownProcess = "CHATWATCH_TEST_OWN_PROCESS"

// TestALeaderThatCannotBeReachedHoldsUpNothingForEver is about a server that names a leader which is not there: the client
// goes to it, and does not come back.
//
// It runs in a process of its own: what the client has left hanging is woken half a minute later by closing the channel on
// which it hangs, which the race detector would report in whatever test runs then.
func TestALeaderThatCannotBeReachedHoldsUpNothingForEver(t *testing.T) {
	if os.Getenv(ownProcess) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), ownProcess+"=1")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	host, port, _ := strings.Cut(nobody.Addr().String(), ":")
	var follows atomic.Bool
	notLeader := grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		if !follows.Load() {
			return handle(srv, s)
		}
		s.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "not the leader")
	})
	server := serve(t, storetest.NewMemory(), notLeader)
	settings := server.URL() + "&gossipTimeout=1"
	store := connect(t, settings, eventstoredb.WithTimeout(500*time.Millisecond), eventstoredb.WithPatience(time.Second))
	var subs []eventstore.Subscription
	for range 4 {
		sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		subs = append(subs, sub)
	}
	want, last := fill(t, store, "session-1", 3)
	follows.Store(true)
	server.Stop()
	server.Start()
	for range 8 {
		go func() {
			_, _ = store.Append(t.Context(), "session-1", eventstore.Exactly(2), []eventstore.Event{event("A")})
		}()
	}
	if _, err := store.Append(t.Context(), "session-1", eventstore.Exactly(2), []eventstore.Event{event("A")}); err == nil {
		t.Fatal("the follower took it")
	}
	// Now the follower is gone too, for longer than the client looks for the leader that it was told of: it finds nobody.
	server.Stop()
	gone, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for gone.Err() == nil {
		_, _ = store.Append(gone, "session-1", eventstore.Exactly(2), []eventstore.Event{event("A")})
	}
	follows.Store(false)
	server.Start()
	more, _ := fill(t, server.store, "session-2", 1)
	for i, sub := range subs {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var got []uuid.UUID
		for len(got) < len(want)+1 {
			b, err := sub.Next(ctx)
			if err != nil {
				t.Fatalf("subscription %d after %d events: %v", i, len(got), err)
			}
			for _, e := range b.Events {
				if e.Position <= last || e.ID == more[0] {
					got = append(got, e.ID)
				}
			}
		}
		same(t, got, append(want[:3:3], more...))
	}
}

func TestAnAppendThatIsTooLargeForTheServerIsToldSo(t *testing.T) {
	var calls atomic.Int64
	cut := grpc.ChainStreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		if !strings.HasSuffix(info.FullMethod, "/Append") {
			return handle(srv, s)
		}
		calls.Add(1)
		_ = s.RecvMsg(&api.AppendReq{})
		return status.Error(codes.InvalidArgument, "Maximum Append Size of 1024 Exceeded.")
	})
	server := serve(t, storetest.NewMemory(), cut)
	store := server.open()
	events := make([]eventstore.Event, 8)
	for i := range events {
		events[i] = event("A")
		events[i].Data = []byte(`"` + strings.Repeat("x", 900_000) + `"`)
	}
	began := time.Now()
	if _, err := store.Append(t.Context(), "session-1", eventstore.NoStream, events); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Fatalf("%v after %s and %d calls", err, time.Since(began), calls.Load())
	}
	if n := calls.Load(); n > 3 {
		t.Errorf("it was sent %d times", n)
	}
}

func TestAForeignTransactionStandsInNobodysWay(t *testing.T) {
	f := &fault{send: func(_ context.Context, _ string, m any, send func(any) error) error {
		if r, ok := m.(*api.ReadResp); ok && r.GetEvent() != nil && string(r.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()) == "other" {
			r.GetEvent().GetEvent().PreparePosition--
		}
		return send(m)
	}}
	server, store := behind(t, f)
	want, _ := fill(t, server.store, "session-1", 2)
	_, last := fill(t, server.store, "other", 1)
	if head, err := store.Head(t.Context()); err != nil || head != last {
		t.Errorf("head %d %v", head, err)
	}
	ours := eventstore.Filter{StreamPrefixes: []string{"session-"}}
	same(t, follow(t, store, ours, 2), want)
	n := 0
	for _, err := range store.ReadAll(t.Context(), eventstore.Start, eventstore.Forwards, 0, ours) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d events", n)
	}
	sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for err == nil {
		_, err = sub.Next(t.Context())
	}
	if !errors.Is(err, eventstore.ErrInvalid) {
		t.Errorf("whoever follows everything: %v", err)
	}
}

func TestAClosedSubscriptionLeavesTheConnectionAlone(t *testing.T) {
	log := &lines{}
	server := serve(t, storetest.NewMemory())
	store := server.open(eventstoredb.WithIdleCheck(time.Millisecond), eventstoredb.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	fill(t, store, "session-1", 1)
	again := time.NewTicker(3 * time.Millisecond)
	defer again.Stop()
	for range 100 {
		sub, err := store.Subscribe(t.Context(), eventstore.Start, eventstore.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		<-again.C
		_ = sub.Close()
	}
	if text := log.String(); strings.Contains(text, "lost") {
		t.Error(text)
	}
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
