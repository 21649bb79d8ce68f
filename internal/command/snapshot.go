package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// snapshotEvery is after how many events of a stream its state is stored.
const snapshotEvery = 256

// snapshotOf is the stored state of a stream, with the id of the event that it ends with.
type snapshotOf[S any] struct {
	LastEvent uuid.UUID           `json:"last_event"`
	Revision  int64               `json:"revision"`
	Position  eventstore.Position `json:"position"`
	State     S                   `json:"state"`
	Known     []knownRequest      `json:"known"`
}

// knownRequest is a request that the stream remembers.
type knownRequest struct {
	ID       uuid.UUID           `json:"id"`
	Hash     string              `json:"hash"`
	Revision int64               `json:"revision"`
	Position eventstore.Position `json:"position"`
}

// restore returns the stored state of a stream, and the empty one where there is none that fits the log.
func (a *Aggregate[S, E]) restore(ctx context.Context, stream string) (View[S], memory, error) {
	empty := View[S]{Revision: -1}
	if a.snapshots == nil {
		return empty, memory{}, nil
	}
	var stored snapshotOf[S]
	ok, err := a.snapshots.Load(stream, &stored)
	if err != nil || !ok || stored.Revision < 0 {
		return empty, memory{}, err
	}
	for last, err := range a.store.ReadStream(ctx, stream, uint64(stored.Revision), eventstore.Forwards, 1) {
		if err != nil && !errors.Is(err, eventstore.ErrStreamNotFound) {
			return empty, memory{}, fmt.Errorf("read %s: %w", stream, err)
		}
		if err != nil || last.ID != stored.LastEvent {
			return empty, memory{}, nil
		}
		var known memory
		for _, k := range stored.Known {
			known.remember(k.ID, Done{Revision: k.Revision, Position: k.Position, hash: k.Hash})
		}
		return View[S]{State: stored.State, Revision: stored.Revision, Position: stored.Position}, known, nil
	}
	return empty, memory{}, nil
}

// save stores the state of a stream that has moved on far enough. What cannot be stored is folded again.
func (a *Aggregate[S, E]) save(stream string, s *stream[S], v View[S], last uuid.UUID) {
	if a.snapshots == nil || v.Revision-s.saved < snapshotEvery {
		return
	}
	s.saved = v.Revision
	err := a.snapshots.Save(stream, snapshotOf[S]{
		LastEvent: last, Revision: v.Revision, Position: v.Position, State: v.State, Known: s.known.list(),
	})
	if err != nil {
		a.log.Warn("a snapshot was not stored", "stream", stream, "error", err)
	}
}

// list returns what is remembered, the oldest first.
func (m *memory) list() []knownRequest {
	out := make([]knownRequest, 0, len(m.ring))
	for i := range m.ring {
		id := m.ring[(m.next+i)%len(m.ring)]
		d := m.done[id]
		out = append(out, knownRequest{ID: id, Hash: d.hash, Revision: d.Revision, Position: d.Position})
	}
	return out
}
