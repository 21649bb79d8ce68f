package embedded

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// TestTheLogShowsNothingThatItsFollowersAreNotGivenYet looks between the commit of an event and its publication: who sees
// the end of the log, and follows it then, counts on getting it before being told that they have caught up.
func TestTheLogShowsNothingThatItsFollowersAreNotGivenYet(t *testing.T) {
	committed, published := make(chan struct{}), make(chan struct{})
	hold := false
	between := func(o *options) {
		o.commit = func(commit func() error) error {
			err := commit()
			if hold {
				committed <- struct{}{}
				<-published
			}
			return err
		}
	}
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "events.db"), between)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	last := func() eventstore.Position {
		for e, err := range s.ReadAll(t.Context(), eventstore.End, eventstore.Backwards, 1, eventstore.Filter{}) {
			if err != nil {
				t.Error(err)
			}
			return e.Position
		}
		return eventstore.Start
	}
	add := func() error {
		_, err := s.Append(context.Background(), "session-1", eventstore.Any, []eventstore.Event{newEvent()})
		return err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	hold = true
	answered := make(chan error)
	go func() { answered <- add() }()
	<-committed
	if at := last(); at != 1 {
		t.Errorf("the log ends at %d while its followers have 1", at)
	}
	close(published)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if at := last(); at != 2 {
		t.Errorf("the log ends at %d, want 2", at)
	}
}
