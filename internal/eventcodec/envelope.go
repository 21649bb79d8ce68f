package eventcodec

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Envelope is a domain event as it was recorded.
type Envelope struct {
	ID         uuid.UUID
	Stream     string
	Revision   uint64
	Position   eventstore.Position
	RecordedAt time.Time
	Type       string // wire name
	Event      any    // an event of the domain, such as a session.Event, by value
	Metadata   Metadata
}

// SessionID is the identifier in the name of a session stream, "" for another stream.
func (e Envelope) SessionID() domain.SessionID {
	id, ok := strings.CutPrefix(e.Stream, SessionPrefix)
	if !ok {
		return ""
	}
	return domain.SessionID(id)
}

// Encode makes the event that is appended.
func Encode(id uuid.UUID, domainEvent any, m Metadata) (eventstore.Event, error) {
	name, version, data, err := encode(domainEvent)
	if err != nil {
		return eventstore.Event{}, err
	}
	meta := appendMetadata(make([]byte, 0, 320), m, version)
	return eventstore.Event{ID: id, Type: name, Data: data, Metadata: meta}, nil
}

// Decode gives the domain event of what the log holds. It fails with *UnknownEvent for one that this program cannot know.
func Decode(r eventstore.Recorded) (Envelope, error) {
	m, err := decodeMetadata(r.Metadata)
	if err != nil {
		return Envelope{}, fmt.Errorf("metadata at %s/%d: %w", r.Stream, r.Revision, &UnreadableEvent{r.Type, err})
	}
	domainEvent, err := decode(r.Type, m.SchemaVersion, r.Data)
	if err != nil {
		return Envelope{}, fmt.Errorf("%s/%d: %w", r.Stream, r.Revision, err)
	}
	return Envelope{
		ID: r.ID, Stream: r.Stream, Revision: r.Revision, Position: r.Position, RecordedAt: r.RecordedAt,
		Type: r.Type, Event: domainEvent, Metadata: m,
	}, nil
}

// Belongs tells whether an event that somebody else wants to append can be read here, in a stream of that name.
func Belongs(stream string, e eventstore.Event) error {
	if _, err := Decode(eventstore.Recorded{Event: e, Stream: stream}); err != nil {
		return err
	}
	if prefix := byName[e.Type].prefix; !strings.HasPrefix(stream, prefix) {
		return fmt.Errorf("eventcodec: %s belongs in streams whose names begin with %s", e.Type, prefix)
	}
	return nil
}
