package embedded

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// gate holds back commits: each waits for an answer.
type gate struct {
	answers chan error
	commits int
}

func (g *gate) option() Option {
	return func(o *options) {
		o.commit = func(commit func() error) error {
			g.commits++
			if err := <-g.answers; err != nil {
				return err
			}
			return commit()
		}
	}
}

func openGated(t *testing.T) (*Store, *gate) {
	t.Helper()
	g := &gate{answers: make(chan error)}
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "events.db"), g.option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, g
}

type answer struct {
	eventstore.Appended
	err error
}

// ask appends in the background and returns when the writer has the request or it waits for the writer.
func ask(s *Store, stream string, expected eventstore.Expected, events ...eventstore.Event) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		at, err := s.Append(context.Background(), stream, expected, events)
		c <- answer{at, err}
	}()
	synctest.Wait()
	return c
}

func newEvent() eventstore.Event { return eventstore.Event{ID: uuid.New(), Type: "Happened"} }

func TestRequestsOfOneGroupSeeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := openGated(t)
		first := ask(s, "a", eventstore.NoStream, newEvent()) // alone; the others gather behind its commit
		second, again := newEvent(), newEvent()
		good := []<-chan answer{
			ask(s, "a", eventstore.Exactly(0), second),
			ask(s, "a", eventstore.Exactly(1), newEvent(), newEvent()),
			ask(s, "a", eventstore.Exactly(0), second), // a retry within the group
			ask(s, "b", eventstore.Any, again),
			ask(s, "b", eventstore.Any, again),
			ask(s, "a", eventstore.StreamExists, newEvent()),
		}
		bad := []<-chan answer{
			ask(s, "a", eventstore.NoStream, newEvent()),
			ask(s, "a", eventstore.Exactly(1), newEvent()),
			ask(s, "a", eventstore.Exactly(9), newEvent()),
			ask(s, "c", eventstore.StreamExists, newEvent()),
		}
		g.answers <- nil
		if got := <-first; got.err != nil {
			t.Fatal(got.err)
		}
		if head, _ := s.Head(context.Background()); head != 1 {
			t.Fatalf("head %d before the commit", head)
		}
		g.answers <- nil
		for i, want := range [][2]uint64{{1, 2}, {3, 4}, {1, 2}, {0, 5}, {0, 5}, {4, 6}} {
			got := <-good[i]
			if got.err != nil || got.Revision != want[0] || uint64(got.Position) != want[1] {
				t.Errorf("append %d: %+v, want %+v", i, got, want)
			}
		}
		for i, want := range []eventstore.Expected{4, 4, 4, eventstore.NoStream} {
			wrong, ok := errors.AsType[*eventstore.WrongRevision]((<-bad[i]).err)
			if !ok || wrong.Actual != want {
				t.Errorf("bad append %d: %+v, want a stream at %d", i, wrong, want)
			}
		}
		if g.commits != 2 {
			t.Errorf("%d commits, want 2", g.commits)
		}
	})
}

func TestFailedCommitFailsItsGroupAndIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		s, g := openGated(t)
		sub, err := s.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		first := ask(s, "a", eventstore.NoStream, newEvent())
		g.answers <- nil
		if got := <-first; got.err != nil {
			t.Fatal(got.err)
		}
		full := errors.New("disk full")
		for range 3 {
			lost := newEvent()
			blocked := ask(s, "a", eventstore.Any, newEvent())
			group := []<-chan answer{
				ask(s, "a", eventstore.Exactly(0), lost), ask(s, "b", eventstore.NoStream, newEvent()), ask(s, "a", eventstore.Any, lost),
			}
			g.answers <- full
			g.answers <- full
			for i, c := range append(group, blocked) {
				if got := <-c; !errors.Is(got.err, eventstore.ErrUnavailable) || !errors.Is(got.err, full) {
					t.Fatalf("append %d of a failed group: %+v", i, got)
				}
			}
		}
		kept := newEvent()
		last := ask(s, "a", eventstore.Exactly(0), kept)
		g.answers <- nil
		if got := <-last; got.err != nil || got.Appended != (eventstore.Appended{Revision: 1, Position: 2}) {
			t.Fatalf("append after failures: %+v", got)
		}
		var seen []eventstore.Recorded
		for len(seen) < 2 {
			b, err := sub.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, b.Events...)
		}
		if len(seen) != 2 || seen[1].ID != kept.ID || seen[1].Position != 2 {
			t.Fatalf("a follower saw %v", seen)
		}
	})
}

func TestAppendReturnsWhenItsContextEndsThoughTheWriterIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := openGated(t)
		first := ask(s, "a", eventstore.NoStream, newEvent())
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Append(ctx, "a", eventstore.Any, []eventstore.Event{newEvent()})
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		g.answers <- nil
		if got := <-first; got.err != nil {
			t.Fatal(got.err)
		}
	})
}
