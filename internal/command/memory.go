package command

import (
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

// remembered bounds how many requests of one stream are recognised when they are sent again: the last ones.
const remembered = 256

// memory holds the last requests that appended to a stream. It is rebuilt from the metadata of the events, so it survives
// what the stream survives.
type memory struct {
	done map[uuid.UUID]Done
	ring []uuid.UUID // in order of arrival, from next on
	next int
}

// recall finds an earlier request with the same identity; it fails when that one had asked for something else.
func (m *memory) recall(r Request) (Done, bool, error) {
	if r.Hash == "" {
		return Done{}, false, nil
	}
	done, ok := m.done[r.ID]
	if ok && done.hash != r.Hash {
		return Done{}, false, domain.Reject(domain.IdempotencyKeyReused, "the key was used for another request")
	}
	return done, ok, nil
}

func (m *memory) remember(id uuid.UUID, d Done) {
	if d.hash == "" {
		return
	}
	if m.done == nil {
		m.done = make(map[uuid.UUID]Done)
	}
	if _, ok := m.done[id]; !ok {
		if len(m.ring) < remembered {
			m.ring = append(m.ring, id)
		} else {
			delete(m.done, m.ring[m.next])
			m.ring[m.next] = id
			m.next = (m.next + 1) % remembered
		}
	}
	m.done[id] = d
}

func (m *memory) learn(e eventcodec.Envelope) {
	if e.Metadata.RequestHash == "" {
		return
	}
	id, err := uuid.Parse(e.Metadata.CommandID)
	if err != nil {
		return // another program's idea of an identity; it cannot come back to us
	}
	m.remember(id, Done{Revision: int64(e.Revision), Position: e.Position, hash: e.Metadata.RequestHash})
}
