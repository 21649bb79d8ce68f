package embedded

import (
	"bytes"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// decide answers a request by where its stream stands, the group's earlier requests included, and inserts its events
// when they pass. An error is the file's, not the request's.
func (w *writer) decide(r *request) error {
	h, err := w.headOf(r.stream)
	if err != nil {
		return err
	}
	switch e := r.expected; {
	case e == eventstore.StreamExists && h.rev < 0:
		return w.refuse(r, h)
	case e == eventstore.Any || e == eventstore.StreamExists:
		return w.decideRecent(r, h)
	case int64(e) == h.rev: // NoStream is -1, as is the revision of a stream without events
		return w.insert(r, h)
	case int64(e) < h.rev:
		return w.decideStored(r, h)
	default:
		return w.refuse(r, h)
	}
}

// decideRecent decides a request that demands no revision: it is a retry when its ids are remembered, one behind the
// other in this stream; when only some are, it is refused.
func (w *writer) decideRecent(r *request, h *head) error {
	known := 0
	var last place
	for i := range r.events {
		at, ok := w.recent.find(r.events[i].ID)
		if !ok || at.sid != h.sid {
			continue
		}
		if known++; known > 1 && at.rev != last.rev+1 {
			return w.refuse(r, h)
		}
		last = at
	}
	switch known {
	case 0:
		return w.insert(r, h)
	case len(r.events):
		r.appended = eventstore.Appended{Revision: uint64(last.rev), Position: last.pos}
		return nil
	default:
		return w.refuse(r, h)
	}
}

// decideStored decides a request whose stream has moved on: it is a retry when its ids stand at the next revisions.
func (w *writer) decideStored(r *request, h *head) error {
	first := int64(r.expected) + 1
	end := first + int64(len(r.events))
	if end > h.rev+1 {
		return w.refuse(r, h)
	}
	stored := w.statements.stored.Bind(0).BindInt(h.sid).BindInt(first).BindInt(end)
	same := 0
	var pos eventstore.Position
	for {
		row, err := stored.Step()
		if err != nil {
			return err
		}
		if !row {
			break
		}
		if !bytes.Equal(stored.Bytes(0), r.events[same].ID[:]) {
			stored.Reset()
			return w.refuse(r, h)
		}
		pos = eventstore.Position(stored.Int(1))
		same++
	}
	if same != len(r.events) {
		return w.refuse(r, h)
	}
	r.appended = eventstore.Appended{Revision: uint64(end - 1), Position: pos}
	return nil
}

func (w *writer) refuse(r *request, h *head) error {
	r.err = &eventstore.WrongRevision{Stream: r.stream, Expected: r.expected, Actual: eventstore.Expected(h.rev)}
	return nil
}

// headOf tells where a stream ends. A stream without events has no number yet, and is not remembered.
func (w *writer) headOf(stream string) (*head, error) {
	if h, ok := w.heads.Get(stream); ok {
		return h, nil
	}
	h := &head{rev: -1}
	row, err := w.statements.head.Bind(len(stream)).BindText(stream).Step()
	if err != nil || !row {
		return h, err
	}
	h.sid, h.rev = w.statements.head.Int(0), w.statements.head.Int(1)
	w.statements.head.Reset()
	w.heads.Add(stream, h)
	return h, nil
}
