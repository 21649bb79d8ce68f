package command_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// cutStore shows the streams of staff as an event store does after somebody has truncated them.
type cutStore struct {
	eventstore.Store
	before uint64
}

func (s cutStore) ReadStream(ctx context.Context, stream string, from uint64, d eventstore.Direction, limit int) iter.Seq2[eventstore.Recorded, error] {
	if strings.HasPrefix(stream, "staff-") {
		from = max(from, s.before)
	}
	return s.Store.ReadStream(ctx, stream, from, d, limit)
}

func TestNothingIsDecidedOnAStreamThatWasCutOff(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	other := service(t, cutStore{w.store, 1}, true)
	if now, err := other.Member(w.ctx, "ann"); err == nil || !strings.Contains(err.Error(), "revision 1 stands where 0 should") {
		t.Errorf("ann is %+v (%v)", now.State, err)
	}
}
