package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// told is what a subscription says, as a line of text a message.
type told struct {
	*bed
	recv func() (*api.ReadResp, error)
}

// follow subscribes as the request says, and takes the confirmation.
func (b *bed) follow(req *api.ReadReq) *told {
	b.Helper()
	req.Options.CountOption = &api.ReadReq_Options_Subscription{Subscription: &api.ReadReq_Options_SubscriptionOptions{}}
	call, err := b.raw.Read(b.ctx, req)
	if err != nil {
		b.Fatal(err)
	}
	m, err := call.Recv()
	if err != nil || m.GetConfirmation().GetSubscriptionId() == "" {
		b.Fatalf("%v (%v), want a confirmation", m, err)
	}
	return &told{bed: b, recv: call.Recv}
}

// next is the next message. Events are their stream and revision.
func (s *told) next() string {
	s.Helper()
	m, err := s.recv()
	if err != nil {
		s.Fatalf("receive: %v", err)
	}
	switch c := m.GetContent().(type) {
	case *api.ReadResp_Event:
		e := c.Event.GetEvent()
		return fmt.Sprintf("%s@%d", e.GetStreamIdentifier().GetStreamName(), e.GetStreamRevision())
	case *api.ReadResp_Checkpoint_:
		if c.Checkpoint.CommitPosition != c.Checkpoint.PreparePosition {
			s.Errorf("checkpoint %v", c)
		}
		return fmt.Sprintf("checkpoint %d", c.Checkpoint.CommitPosition)
	case *api.ReadResp_CaughtUp_:
		return "caught up"
	case *api.ReadResp_FellBehind_:
		return "fell behind"
	default:
		s.Fatalf("unexpected %v", m)
		return ""
	}
}

// tells demands these messages, and no others between them.
func (s *told) tells(want ...string) {
	s.Helper()
	for i, w := range want {
		if got := s.next(); got != w {
			s.Fatalf("message %d is %q, want %q", i, got, w)
		}
	}
}

// until takes messages up to one, inclusively.
func (s *told) until(last string) (all []string) {
	s.Helper()
	for {
		all = append(all, s.next())
		if all[len(all)-1] == last {
			return all
		}
	}
}

func fromAll(at uint64, f *api.ReadReq_Options_FilterOptions) *api.ReadReq {
	req := all(f)
	req.Options.GetAll().AllOption = &api.ReadReq_Options_AllOptions_Position{
		Position: &api.ReadReq_Options_Position{CommitPosition: at, PreparePosition: at},
	}
	return req
}

func fromEnd(f *api.ReadReq_Options_FilterOptions) *api.ReadReq {
	req := all(f)
	req.Options.GetAll().AllOption = &api.ReadReq_Options_AllOptions_End{}
	return req
}

func fromRevision(stream string, revision uint64) *api.ReadReq {
	return read(stream, func(o *api.ReadReq_Options) {
		o.GetStream().RevisionOption = &api.ReadReq_Options_StreamOptions_Revision{Revision: revision}
	})
}

func TestASubscriptionToAllBeginsAfterItsPlace(t *testing.T) {
	b := serve(t)
	b.put("a", 2)
	b.put("b", 2)
	fromStart, fromMiddle, fromLast, fromEnd := b.follow(all(nil)), b.follow(fromAll(2, nil)), b.follow(fromAll(4, nil)), b.follow(fromEnd(nil))
	fromStart.tells("a@0", "a@1", "b@0", "b@1", "caught up")
	fromMiddle.tells("b@0", "b@1", "caught up")
	fromLast.tells("caught up")
	b.put("a", 1)
	fromEnd.until("a@2") // the end may be told before or with it
	for range 3 {
		b.put("$own", 1)
	}
	b.put("b", 1)
	fromEnd.until("b@2")
	for _, s := range []*told{fromStart, fromMiddle, fromLast} {
		s.tells("a@2", "b@2")
	}
}

func TestASubscriptionMissesNothingAfterItsConfirmation(t *testing.T) {
	b := serve(t)
	for i := range 50 {
		all, stream := b.follow(fromEnd(nil)), b.follow(fromRevision("a", 1<<64-1))
		b.put("a", 1)
		want := fmt.Sprintf("a@%d", i)
		for _, s := range []*told{all, stream} {
			if got := s.until(want); len(got) > 2 {
				t.Fatalf("%v before %s", got, want)
			}
		}
	}
}

func TestASubscriptionToAStreamBeginsAfterItsRevision(t *testing.T) {
	b := serve(t)
	b.put("a", 2)
	b.put("ab", 5)
	b.put("a", 2)
	fromStart, fromMiddle, fromLast, ahead := b.follow(read("a", nil)), b.follow(fromRevision("a", 1)), b.follow(fromRevision("a", 3)), b.follow(fromRevision("a", 5))
	fromStart.tells("a@0", "a@1", "a@2", "a@3", "caught up")
	fromMiddle.tells("a@2", "a@3", "caught up")
	fromLast.tells("caught up")
	ahead.tells("caught up")
	b.put("ab", 1)
	b.put("a", 3)
	for _, s := range []*told{fromStart, fromMiddle, fromLast} {
		s.tells("a@4", "a@5", "a@6")
	}
	ahead.tells("a@6")
}

func TestAStreamIsFollowedBeforeItExists(t *testing.T) {
	b := serve(t)
	b.put("other", 3)
	s := b.follow(read("a", nil))
	s.tells("caught up")
	b.put("a", 2)
	s.tells("a@0", "a@1")
}

func TestAStreamIsFollowedWhileItIsWritten(t *testing.T) {
	b := serve(t)
	const total = 400
	written := make(chan error, 1)
	go func() {
		for range total {
			if _, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{}, news(1)...); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for range 5 {
		s := b.follow(read("a", nil))
		for next := 0; next < total; {
			switch got := s.next(); got {
			case fmt.Sprintf("a@%d", next):
				next++
			case "caught up", "fell behind":
			default:
				t.Fatalf("%s, want event %d", got, next)
			}
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestASubscriptionFilters(t *testing.T) {
	b := serve(t)
	for i := range 6 {
		b.put(fmt.Sprintf("%s-%d", []string{"session", "staff"}[i%2], i), 1, []string{"Asked", "Answered", "Closed"}[i%3])
	}
	for what, c := range map[string]struct {
		f    *api.ReadReq_Options_FilterOptions
		want string
	}{
		"stream prefix": {byStream("session-", "queue-"), "session-0@0 session-2@0 session-4@0"},
		"stream regex":  {byStreamRegex(`-[14]$`), "staff-1@0 session-4@0"},
		"type prefix":   {byType("A"), "session-0@0 staff-1@0 staff-3@0 session-4@0"},
		"type regex":    {byTypeRegex(`^C`), "session-2@0 staff-5@0"},
	} {
		events := slices.DeleteFunc(b.follow(all(c.f)).until("caught up"), func(s string) bool { return !strings.Contains(s, "@") })
		if got := strings.Join(events, " "); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

func windowed(f *api.ReadReq_Options_FilterOptions, window, multiplier uint32) *api.ReadReq_Options_FilterOptions {
	f.Window = &api.ReadReq_Options_FilterOptions_Max{Max: window}
	f.CheckpointIntervalMultiplier = multiplier
	return f
}

func TestCheckpointsComeAfterAsManyEventsAsWereAskedFor(t *testing.T) {
	b := serve(t)
	for i := range 10 {
		b.put("other", 19)
		b.put("a", 1, fmt.Sprint("T", i))
	}
	s := b.follow(all(windowed(byStream("a"), 10, 5)))
	s.tells("a@0", "a@1", "a@2", "checkpoint 60", "a@3", "a@4", "a@5", "checkpoint 120", "a@6", "a@7", "a@8", "checkpoint 180",
		"a@9", "checkpoint 200", "caught up")
	b.put("other", 29)
	b.put("a", 1) // the 50th since the checkpoint at 180
	s.tells("a@10", "checkpoint 230")
	for range 48 {
		b.put("other", 1)
	}
	b.put("a", 1)
	s.tells("a@11")
	b.put("other", 1)
	s.tells("checkpoint 280")
}

func TestTheCheckpointBeforeTheEndIsNotTheEnd(t *testing.T) {
	b := serve(t)
	b.put("other", 95)
	b.follow(all(windowed(byStream("none"), 10, 1000))).tells("checkpoint 90", "caught up")
	b.follow(fromAll(85, windowed(byTypeRegex("^none"), 10, 1000))).tells("caught up")
	b.follow(fromAll(84, windowed(byTypeRegex("^none"), 10, 1000))).tells("checkpoint 94", "caught up")
	b.follow(fromEnd(windowed(byStream("none"), 10, 1000))).tells("caught up")
	s := b.follow(all(windowed(byStream("none"), 96, 1)))
	s.tells("caught up")
	b.put("other", 1)
	s.tells("checkpoint 96")
	counted := all(windowed(byStream("none"), 1, 100))
	counted.Options.GetFilter().Window = &api.ReadReq_Options_FilterOptions_Count{}
	b.follow(counted).tells("checkpoint 64", "caught up")
}

func TestSubscriptionsWithoutAFilterGetNoCheckpoints(t *testing.T) {
	b := serve(t)
	b.put("a", 500)
	for what, req := range map[string]*api.ReadReq{"all": all(nil), "stream": read("a", nil)} {
		if got := b.follow(req).until("caught up"); len(got) != 501 {
			t.Errorf("%s: %d messages, want 501", what, len(got))
		}
	}
}

func TestASubscriptionThatFallsBehindSaysSoAndCatchesUp(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	whole, stream, filtered := b.follow(all(nil)), b.follow(read("a", nil)), b.follow(all(windowed(byStream("a"), 500, 1000)))
	whole.tells("a@0", "caught up")
	stream.tells("a@0", "caught up")
	filtered.tells("a@0", "checkpoint 1", "caught up")
	b.put("a", 6000) // more than the store hands out at once
	for what, s := range map[string]*told{"all": whole, "stream": stream, "filtered": filtered} {
		s.tells("fell behind", "a@1")
		events := 1
		for _, m := range s.until("caught up") {
			if strings.Contains(m, "@") {
				events++
			}
		}
		if events != 6000 {
			t.Errorf("%s: %d events, want 6000", what, events)
		}
	}
	b.put("a", 1)
	for _, s := range []*told{whole, stream, filtered} {
		s.tells("a@6001")
	}
}

func TestTheClientFollows(t *testing.T) {
	b := serve(t)
	b.put("session-1", 2)
	b.put("staff-1", 2)
	sub, err := b.client.SubscribeToAll(b.ctx, esdb.SubscribeToAllOptions{
		From: esdb.Start{}, MaxSearchWindow: 500, CheckpointInterval: 10,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"session-"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	stream, err := b.client.SubscribeToStream(b.ctx, "staff-1", esdb.SubscribeToStreamOptions{From: esdb.Revision(0)})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for _, want := range []string{"event 0", "event 1", "checkpoint 2", "caught up"} {
		if got := describe(sub.Recv()); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for _, want := range []string{"event 1", "caught up"} {
		if got := describe(stream.Recv()); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	b.must("session-1", esdb.Revision(1), news(1))
	if got := describe(sub.Recv()); got != "event 2" {
		t.Errorf("%s, want event 2", got)
	}
}

func describe(e *esdb.SubscriptionEvent) string {
	switch {
	case e.EventAppeared != nil:
		return fmt.Sprintf("event %d", e.EventAppeared.Event.EventNumber)
	case e.CheckPointReached != nil:
		return fmt.Sprintf("checkpoint %d", e.CheckPointReached.Commit)
	case e.CaughtUp != nil:
		return "caught up"
	case e.FellBehind != nil:
		return "fell behind"
	default:
		return fmt.Sprint(e.SubscriptionDropped.Error)
	}
}

func TestStoppingEndsSubscriptions(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	subs := []*told{b.follow(all(nil)), b.follow(read("a", nil)), b.follow(read("none", nil))}
	for _, s := range subs {
		s.until("caught up")
	}
	for range 2 {
		b.server.Stop()
	}
	for _, s := range subs {
		if _, err := s.recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("%v, want unavailable", err)
		}
	}
	if _, err := b.store.Head(t.Context()); err != nil {
		t.Errorf("the store: %v", err)
	}
}

// lingering is a store whose appends take a while to end with their context.
type lingering struct {
	eventstore.Store
	entered chan struct{}
	left    atomic.Bool
}

func (s *lingering) Append(ctx context.Context, _ string, _ eventstore.Expected, _ []eventstore.Event) (eventstore.Appended, error) {
	close(s.entered)
	<-ctx.Done()
	<-time.After(100 * time.Millisecond)
	s.left.Store(true)
	return eventstore.Appended{}, ctx.Err()
}

func TestStoppingWaitsUntilNobodyUsesTheStore(t *testing.T) {
	s := &lingering{entered: make(chan struct{})}
	b := serve(t, func(c *wireConfig) { s.Store, c.Store = c.Store, s })
	answered := make(chan error, 1)
	go func() {
		_, _, err := b.append(options("a"), proposed(nil))
		answered <- err
	}()
	<-s.entered
	b.server.Stop()
	if !s.left.Load() {
		t.Error("an append is still under way")
	}
	if err := <-answered; status.Code(err) != codes.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.server.Serve(l); err != nil {
		t.Errorf("serve after it: %v", err)
	}
}

func TestClosingTheStoreEndsSubscriptionsAndCalls(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	subs := []*told{b.follow(all(nil)), b.follow(read("a", nil))}
	for _, s := range subs {
		s.until("caught up")
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range subs {
		if _, err := s.recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("%v, want unavailable", err)
		}
	}
	_, _, err := b.append(options("a"), proposed(nil))
	_, _, readErr := b.tryAnswers(all(nil))
	if err = errors.Join(err, readErr); status.Code(err) != codes.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
}
