package wire_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func (b *bed) delete(stream string, expected esdb.ExpectedRevision) (*esdb.DeleteResult, error) {
	return b.client.DeleteStream(b.ctx, stream, esdb.DeleteStreamOptions{ExpectedRevision: expected})
}

func (b *bed) tombstone(stream string, expected esdb.ExpectedRevision) (*esdb.DeleteResult, error) {
	return b.client.TombstoneStream(b.ctx, stream, esdb.TombstoneStreamOptions{ExpectedRevision: expected})
}

func (b *bed) mustDelete(stream string, expected esdb.ExpectedRevision) *esdb.DeleteResult {
	b.Helper()
	result, err := b.delete(stream, expected)
	if err != nil {
		b.Fatalf("delete %s: %v", stream, err)
	}
	return result
}

func TestADeletedStreamIsNotFoundAndGoesOnCounting(t *testing.T) {
	for _, expected := range []esdb.ExpectedRevision{esdb.NoStream{}, esdb.Any{}, esdb.Revision(2)} {
		b := serve(t)
		b.put("a", 3)
		if at := b.mustDelete("a", esdb.Revision(2)).Position; at.Commit != 4 || at.Prepare != 4 {
			t.Errorf("%T: deleted at %v", expected, at)
		}
		for _, o := range []esdb.ReadStreamOptions{{From: esdb.Start{}}, {From: esdb.End{}, Direction: esdb.Backwards}, {From: esdb.Revision(1)}} {
			_, err := b.readStream("a", o, 10)
			b.failsWith("a deleted stream", err, esdb.ErrorCodeResourceNotFound)
		}
		if got := b.must("a", expected, news(2)).NextExpectedVersion; got != 4 {
			t.Errorf("%T: revision %d, want 4", expected, got)
		}
		for _, c := range []struct {
			o    esdb.ReadStreamOptions
			want []uint64
		}{
			{esdb.ReadStreamOptions{From: esdb.Start{}}, counted(3, 4)},
			{esdb.ReadStreamOptions{From: esdb.Revision(1)}, counted(3, 4)},
			{esdb.ReadStreamOptions{From: esdb.Revision(4)}, counted(4, 4)},
			{esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, counted(4, 3)},
			{esdb.ReadStreamOptions{From: esdb.Revision(2), Direction: esdb.Backwards}, []uint64{}},
		} {
			got, err := b.readStream("a", c.o, math.MaxUint64)
			if err != nil {
				t.Error(err)
			}
			b.same(fmt.Sprintf("%+v", c.o), revisions(got), c.want)
		}
		_, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, news(1)...)
		b.failsWith("once it has events again", err, esdb.ErrorCodeWrongExpectedVersion)
		b.must("a", esdb.StreamExists{}, news(1))
	}
}

func TestWhatWasDeletedStillStandsInTheLogAndForTheProduct(t *testing.T) {
	b := serve(t)
	b.put("a", 2)
	b.put("b", 2)
	b.mustDelete("a", esdb.Any{})
	if _, err := b.tombstone("b", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	b.same("all", positions(b.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 100)), counted(1, 4))
	for _, stream := range []string{"a", "b"} {
		n := 0
		for _, err := range b.store.ReadStream(t.Context(), stream, 0, eventstore.Forwards, 0) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 2 {
			t.Errorf("the store has %d events of %s, want 2", n, stream)
		}
	}
	meta, err := b.client.GetStreamMetadata(t.Context(), "a", esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards})
	if err != nil || meta.TruncateBefore() == nil || *meta.TruncateBefore() != 2 {
		t.Errorf("metadata %+v (%v), want to be cut before 2", meta, err)
	}
	b.follow(read("$$a", nil)).tells("$$a@0", "caught up")
}

func TestAStreamThatExistsIsExpectedOfNoDeletedOne(t *testing.T) {
	b := serve(t)
	b.put("a", 3)
	b.mustDelete("a", esdb.StreamExists{})
	_, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.StreamExists{}}, news(1)...)
	b.failsWith("append", err, esdb.ErrorCodeStreamDeleted)
	_, err = b.delete("a", esdb.StreamExists{})
	b.failsWith("delete", err, esdb.ErrorCodeStreamDeleted)
	b.mustDelete("a", esdb.NoStream{}) // as it says
	b.mustDelete("none", esdb.NoStream{})
	b.mustDelete("none", esdb.Any{})
	b.must("none", esdb.NoStream{}, news(1))
	b.same("a stream that was deleted before it was", revisions(b.whole("none")), counted(0, 0))
}

func TestADeletionIsCheckedAgainstWhatIsExpected(t *testing.T) {
	b := serve(t)
	b.put("ä", 3)
	name := &shared.StreamIdentifier{StreamName: []byte("ä")}
	none := &shared.StreamIdentifier{StreamName: []byte("none")}
	for what, c := range map[string]struct {
		o                *api.DeleteReq_Options
		expected, actual string
	}{
		"no stream":           {&api.DeleteReq_Options{StreamIdentifier: name, ExpectedStreamRevision: &api.DeleteReq_Options_NoStream{}}, "-1", "2"},
		"an older revision":   {&api.DeleteReq_Options{StreamIdentifier: name, ExpectedStreamRevision: &api.DeleteReq_Options_Revision{Revision: 1}}, "1", "2"},
		"a later revision":    {&api.DeleteReq_Options{StreamIdentifier: name, ExpectedStreamRevision: &api.DeleteReq_Options_Revision{Revision: 3}}, "3", "2"},
		"a stream that is":    {&api.DeleteReq_Options{StreamIdentifier: none, ExpectedStreamRevision: &api.DeleteReq_Options_StreamExists{}}, "-4", "-1"},
		"a revision where is": {&api.DeleteReq_Options{StreamIdentifier: none, ExpectedStreamRevision: &api.DeleteReq_Options_Revision{Revision: 0}}, "0", "-1"},
	} {
		var trailer metadata.MD
		stream := strings.ReplaceAll(string(c.o.StreamIdentifier.StreamName), "ä", "%C3%A4")
		_, err := b.raw.Delete(b.ctx, &api.DeleteReq{Options: c.o}, grpc.Trailer(&trailer))
		b.refuses(what, err, trailer, codes.FailedPrecondition, "exception", "wrong-expected-version", "stream-name", stream,
			"expected-version", c.expected, "actual-version", c.actual)
	}
	for what, o := range map[string]*api.TombstoneReq_Options{
		"nothing":        nil,
		"no expectation": {StreamIdentifier: name},
		"no name":        {ExpectedStreamRevision: &api.TombstoneReq_Options_Any{}},
		"beyond all":     {StreamIdentifier: name, ExpectedStreamRevision: &api.TombstoneReq_Options_Revision{Revision: 1 << 63}},
	} {
		_, err := b.raw.Tombstone(b.ctx, &api.TombstoneReq{Options: o})
		b.refuses(what, err, nil, codes.InvalidArgument)
	}
	_, err := b.tombstone("$own", esdb.Any{})
	b.failsWith("a stream of the store's own", err, esdb.ErrorCodeAccessDenied)
	b.same("the stream", revisions(b.whole("ä")), counted(0, 2))
}

func TestATombstoneIsForGood(t *testing.T) {
	b := serve(t)
	b.put("a", 3)
	followed := b.follow(read("a", nil))
	followed.tells("a@0", "a@1", "a@2", "caught up")
	other := b.follow(read("b", nil))
	other.tells("caught up")
	result, err := b.tombstone("a", esdb.Revision(2))
	if err != nil || result.Position.Commit != 4 {
		t.Fatalf("%+v, %v", result, err)
	}
	_, err = followed.recv()
	b.refuses("a subscription", err, nil, codes.FailedPrecondition)
	again := func() {
		t.Helper()
		for _, expected := range []esdb.ExpectedRevision{esdb.Any{}, esdb.NoStream{}, esdb.Revision(2), esdb.StreamExists{}} {
			_, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: expected}, news(1)...)
			b.failsWith("append", err, esdb.ErrorCodeStreamDeleted)
		}
		_, err := b.readStream("a", esdb.ReadStreamOptions{}, 1)
		b.failsWith("read", err, esdb.ErrorCodeStreamDeleted)
		_, err = b.delete("a", esdb.Any{})
		b.failsWith("delete", err, esdb.ErrorCodeStreamDeleted)
		_, err = b.tombstone("a", esdb.Any{})
		b.failsWith("tombstone", err, esdb.ErrorCodeStreamDeleted)
		_, err = b.client.SubscribeToStream(b.ctx, "a", esdb.SubscribeToStreamOptions{From: esdb.Start{}})
		b.failsWith("subscribe", err, esdb.ErrorCodeStreamDeleted)
		_, trailer, err := b.tryAnswers(read("a", nil))
		b.refuses("read", err, trailer, codes.FailedPrecondition, "exception", "stream-deleted", "stream-name", "a")
	}
	again()
	b.put("b", 1)
	other.tells("b@0")
	b = serveStore(t, b.store) // which knows of it from the log
	again()
	b.must("b", esdb.Revision(0), news(1))
}

func TestADeletedStreamIsFollowedFromWhatItShows(t *testing.T) {
	b := serve(t)
	b.put("a", 3)
	b.mustDelete("a", esdb.Any{})
	s := b.follow(read("a", nil))
	s.tells("caught up")
	b.must("a", esdb.NoStream{}, news(2))
	s.tells("a@3", "a@4")
	b.follow(read("a", nil)).tells("a@3", "a@4", "caught up")
	b.follow(fromRevision("a", 1)).tells("a@3", "a@4", "caught up")
	b.follow(fromRevision("a", 3)).tells("a@4", "caught up")
}

// slowMarks is a store in which the first read of a mark waits until it is let go.
type slowMarks struct {
	eventstore.Store
	reads   chan struct{}
	letGo   chan struct{}
	held    atomic.Bool
	appends func() error
}

func (s *slowMarks) ReadStream(ctx context.Context, stream string, from uint64, d eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		var read []eventstore.Recorded
		var failure error
		for e, err := range s.Store.ReadStream(ctx, stream, from, d, limit) {
			if failure = err; err == nil {
				read = append(read, e)
			}
		}
		if strings.HasPrefix(stream, "$$") && s.held.CompareAndSwap(false, true) {
			s.reads <- struct{}{}
			<-s.letGo
		}
		for _, e := range read {
			if !yield(e, nil) {
				return
			}
		}
		if failure != nil {
			yield(eventstore.Recorded{}, failure)
		}
	}
}

func (s *slowMarks) Append(ctx context.Context, stream string, e eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if s.appends != nil && strings.HasPrefix(stream, "$$") {
		if err := s.appends(); err != nil {
			return eventstore.Appended{}, err
		}
	}
	return s.Store.Append(ctx, stream, e, events)
}

func TestALookThatBeganBeforeADeletionIsNotRemembered(t *testing.T) {
	slow := &slowMarks{reads: make(chan struct{}), letGo: make(chan struct{})}
	b := serve(t, func(c *wireConfig) {
		slow.Store, c.Store = c.Store, slow
	})
	b.put("a", 1)
	looked := make(chan error, 1)
	go func() {
		_, err := b.readStream("a", esdb.ReadStreamOptions{}, 1)
		looked <- err
	}()
	<-slow.reads // it has read that there is no mark, and comes late
	if _, err := b.tombstone("a", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	close(slow.letGo)
	if err := <-looked; err != nil {
		t.Errorf("the look: %v", err)
	}
	_, err := b.readStream("a", esdb.ReadStreamOptions{}, 1)
	b.failsWith("after it", err, esdb.ErrorCodeStreamDeleted)
}

func TestADeletionThatTheStoreDidNotTakeIsNone(t *testing.T) {
	failing := &slowMarks{reads: make(chan struct{}, 1), letGo: make(chan struct{})}
	close(failing.letGo)
	failure := fmt.Errorf("%w: disk full", eventstore.ErrUnavailable)
	failing.appends = func() error { return failure }
	b := serve(t, func(c *wireConfig) {
		failing.Store, c.Store = c.Store, failing
	})
	b.put("a", 1)
	_, err := b.delete("a", esdb.Any{})
	b.failsWith("delete", err, esdb.ErrorUnavailable)
	if err != nil && strings.Contains(err.Error(), "disk") {
		t.Errorf("the caller is told %v", err)
	}
	b.whole("a")
	failure = nil
	b.mustDelete("a", esdb.Any{})
	_, err = b.readStream("a", esdb.ReadStreamOptions{}, 1)
	b.failsWith("after it", err, esdb.ErrorCodeResourceNotFound)
}

func TestOfDeletionsAtTheSameTimeEachIsWhole(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				result, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, news(1)...)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = b.delete("a", esdb.Revision(result.NextExpectedVersion))
				if failure, ok := errors.AsType[*esdb.Error](err); err != nil && (!ok || failure.Code() != esdb.ErrorCodeUnknown) {
					t.Error(err) // a wrong revision is not one of the client's codes for a deletion
				}
			}
		})
	}
	wg.Wait()
	var last uint64
	for e, err := range b.store.ReadStream(t.Context(), "a", math.MaxUint64, eventstore.Backwards, 1) {
		if last = e.Revision; err != nil {
			t.Fatal(err)
		}
	}
	b.mustDelete("a", esdb.Revision(last))
	if got := b.must("a", esdb.NoStream{}, news(1)).NextExpectedVersion; got != 161 {
		t.Errorf("revision %d, want 161", got)
	}
	b.same("the stream", revisions(b.whole("a")), counted(161, 161))
}
