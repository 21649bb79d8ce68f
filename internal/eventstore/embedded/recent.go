package embedded

import (
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const (
	recentKept   = 64 << 10 // ids that the writer remembers
	recentLoaded = 4 << 10  // of which so many are read when the store is opened
)

// place is where an event stands.
type place struct {
	sid, rev int64
	pos      eventstore.Position
}

// recentIDs remembers the places of the last events by their ids, the oldest forgotten first. An index on the id in
// the file would be the hottest write there is: its keys are random.
type recentIDs struct {
	places map[uuid.UUID]place
	order  []uuid.UUID // ring
	next   int         // counted without wrapping
	count  int
}

func newRecentIDs(size int) *recentIDs {
	return &recentIDs{places: map[uuid.UUID]place{}, order: make([]uuid.UUID, 0, size)}
}

// load fills an empty memory from the file's end.
func (m *recentIDs) load(conn *sqlite.Conn) error {
	s, err := conn.Prepare("SELECT id, sid, rev, pos FROM events WHERE pos > (SELECT max(pos) FROM events) - ?1 ORDER BY pos")
	if err != nil {
		return err
	}
	s.Bind(0).BindInt(recentLoaded)
	for {
		row, err := s.Step()
		if err != nil || !row {
			return err
		}
		var id uuid.UUID
		copy(id[:], s.Bytes(0))
		m.add(id, place{sid: s.Int(1), rev: s.Int(2), pos: eventstore.Position(s.Int(3))})
	}
}

func (m *recentIDs) find(id uuid.UUID) (place, bool) {
	at, ok := m.places[id]
	return at, ok
}

func (m *recentIDs) add(id uuid.UUID, at place) {
	slot := m.next % cap(m.order)
	if slot == len(m.order) {
		m.order = append(m.order, id)
	}
	if m.count == cap(m.order) {
		delete(m.places, m.order[slot])
		m.count--
	}
	m.order[slot] = id
	m.places[id] = at
	m.next++
	m.count++
}

// forget takes back the last n that were added.
func (m *recentIDs) forget(n int) {
	for range min(n, m.count) {
		m.next--
		m.count--
		delete(m.places, m.order[m.next%cap(m.order)])
	}
}
