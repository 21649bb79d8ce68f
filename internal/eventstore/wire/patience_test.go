package wire_test

import (
	"context"
	"iter"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// inBubble serves a store in memory, over connections in memory, where time passes only while all wait.
func inBubble(t *testing.T, change func(*wire.Config), test func(t *testing.T, b *bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := storetest.NewMemory()
		c := wire.Config{Store: store, Writes: true}
		if change != nil {
			change(&c)
		}
		b := &bed{TB: t, ctx: t.Context(), store: store, server: wire.New(c)}
		listener := bufconn.Listen(64 << 10)
		served := make(chan error, 1)
		go func() { served <- b.server.Serve(listener) }()
		conn, err := grpc.NewClient("passthrough:///", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
		if err != nil {
			t.Fatal(err)
		}
		b.raw = api.NewStreamsClient(conn)
		test(t, b)
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		b.server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// took demands that so much time has passed.
func took(t *testing.T, what string, since time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(since); got != want {
		t.Errorf("%s ended after %v, want %v", what, got, want)
	}
}

// halfOpen begins an append and never says that it ends.
func (b *bed) halfOpen(messages ...*api.AppendReq) api.Streams_AppendClient {
	b.Helper()
	call, err := b.raw.Append(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range messages {
		if err := call.Send(m); err != nil {
			b.Fatal(err)
		}
	}
	return call
}

func TestARefusedAppendIsNotHeardForEver(t *testing.T) {
	inBubble(t, readOnly, func(t *testing.T, b *bed) {
		began := time.Now()
		err := b.halfOpen(options("a"), proposed(nil)).RecvMsg(&api.AppendResp{})
		b.refuses("an append", err, nil, codes.PermissionDenied)
		took(t, "an append", began, 5*time.Second)
	})
}

func TestAnAppendThatWillBeRefusedIsNotHeardForEver(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, b *bed) {
		call := b.halfOpen(options("$own"))
		began := time.Now()
		var talk sync.WaitGroup
		talk.Go(func() {
			for call.Send(proposed(nil)) == nil { // and what is said does not make it longer
				<-time.After(time.Second)
			}
		})
		defer talk.Wait()
		b.refuses("an append", call.RecvMsg(&api.AppendResp{}), nil, codes.PermissionDenied)
		took(t, "an append", began, 5*time.Second)
	})
}

func TestASilentAppendIsNotHeardForEver(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, b *bed) {
		for what, messages := range map[string][]*api.AppendReq{"nothing": nil, "the options": {options("a")}, "an event": {options("a"), proposed(nil)}} {
			began := time.Now()
			err := b.halfOpen(messages...).RecvMsg(&api.AppendResp{})
			b.refuses(what, err, nil, codes.DeadlineExceeded)
			took(t, what, began, 30*time.Second)
		}
		slow := b.halfOpen(options("a"))
		for range 5 {
			<-time.After(29 * time.Second)
			if err := slow.Send(proposed(nil)); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(29 * time.Second)
		if resp, err := slow.CloseAndRecv(); err != nil || resp.GetSuccess().GetCurrentRevision() != 4 {
			t.Errorf("a slow append: %v, %v", resp, err)
		}
	})
}

// forAnHour lets everybody in for an hour.
func forAnHour(c *wire.Config) {
	c.Authorize = func(context.Context, string, string, bool) (time.Time, error) { return time.Now().Add(time.Hour), nil }
}

func TestACallEndsWithItsCredentials(t *testing.T) {
	inBubble(t, forAnHour, func(t *testing.T, b *bed) {
		b.put("a", 1)
		for what, req := range map[string]*api.ReadReq{"all": all(nil), "a stream": read("a", nil), "no stream": read("none", nil)} {
			began := time.Now()
			s := b.follow(req)
			s.until("caught up")
			_, err := s.recv()
			b.refuses(what, err, nil, codes.Unauthenticated)
			took(t, what, began, time.Hour)
		}
		began, call := time.Now(), b.halfOpen(options("a"))
		ended := make(chan error, 1)
		go func() { ended <- call.RecvMsg(&api.AppendResp{}) }()
		for call.Send(proposed(nil)) == nil {
			<-time.After(20 * time.Second)
		}
		b.refuses("an append", <-ended, nil, codes.Unauthenticated)
		if passed := time.Since(began); passed < time.Hour || passed > time.Hour+time.Minute {
			t.Errorf("the append ended after %v", passed)
		}
	})
}

func TestTheDeadlineOfTheCallerIsTheCallersOwn(t *testing.T) {
	inBubble(t, forAnHour, func(t *testing.T, b *bed) {
		for _, c := range []struct {
			after time.Duration
			want  codes.Code
		}{{time.Minute, codes.DeadlineExceeded}, {2 * time.Hour, codes.Unauthenticated}} {
			ctx, cancel := context.WithTimeout(t.Context(), c.after)
			defer cancel()
			b.ctx = ctx
			s := b.follow(all(nil))
			s.until("caught up")
			_, err := s.recv()
			b.refuses(c.after.String(), err, nil, c.want)
		}
	})
}

// stuck is a store whose reads of streams take for ever.
type stuck struct{ eventstore.Store }

func (stuck) ReadStream(ctx context.Context, _ string, _ uint64, _ eventstore.Direction, _ int) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		<-ctx.Done()
		yield(eventstore.Recorded{}, ctx.Err())
	}
}

func TestCallsThatAreOneMessageEndWithTheirCredentialsToo(t *testing.T) {
	inBubble(t, func(c *wire.Config) {
		forAnHour(c)
		c.Store = stuck{c.Store}
	}, func(t *testing.T, b *bed) {
		began := time.Now()
		_, err := b.raw.Delete(b.ctx, &api.DeleteReq{Options: &api.DeleteReq_Options{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte("a")}, ExpectedStreamRevision: &api.DeleteReq_Options_Any{},
		}})
		b.refuses("delete", err, nil, codes.Unauthenticated)
		took(t, "delete", began, time.Hour)
	})
}

// unmindful is a store that goes on with a read whose context has ended, with two hours between two events.
type unmindful struct{ eventstore.Store }

func (unmindful) ReadAll(context.Context, eventstore.Position, eventstore.Direction, int, eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for n := range 5 {
			if !yield(eventstore.Recorded{Stream: "a", Revision: uint64(n), Position: eventstore.Position(n + 1)}, nil) {
				return
			}
			<-time.After(2 * time.Hour)
		}
	}
}

func TestNothingIsToldAfterCredentialsHaveExpired(t *testing.T) {
	inBubble(t, func(c *wire.Config) {
		forAnHour(c)
		c.Store = unmindful{c.Store}
	}, func(t *testing.T, b *bed) {
		got, trailer, err := b.tryAnswers(all(nil))
		b.refuses("read", err, trailer, codes.Unauthenticated)
		b.same("the log", commits(got), counted(1, 1))
	})
}

func TestCredentialsThatHaveExpiredLetNobodyIn(t *testing.T) {
	inBubble(t, func(c *wire.Config) {
		c.Authorize = func(context.Context, string, string, bool) (time.Time, error) { return time.Now(), nil }
		c.Store = struct{ eventstore.Store }{} // which nobody can ask anything
	}, func(t *testing.T, b *bed) {
		_, trailer, err := b.tryAnswers(read("a", nil))
		b.refuses("read", err, trailer, codes.Unauthenticated)
		_, trailer, err = b.append(options("a"), proposed(nil))
		b.refuses("append", err, trailer, codes.Unauthenticated)
	})
}
