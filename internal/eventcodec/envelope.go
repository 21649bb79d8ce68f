package eventcodec

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Metadata is what is known of an event beside what happened. On the wire it is a flat map of strings.
type Metadata struct {
	CorrelationID string // the request that started it all
	CausationID   string // the command or event that led to this one directly
	Actor         domain.Actor
	OccurredAt    time.Time // UTC, by the clock of the node that decided; microseconds
	SchemaVersion int
	// CommandID and RequestHash recognise a request that is sent again. The hash is keyed and tells nothing of the request.
	CommandID   string
	RequestHash string
}

// wireMetadata holds the names of the keys. PreviousHash and KeyID have their place and no writer yet.
type wireMetadata struct {
	CorrelationID string `json:"$correlationId"`
	CausationID   string `json:"$causationId"`
	ActorID       string `json:"actor_id,omitempty"`
	ActorRole     string `json:"actor_role"`
	OccurredAt    string `json:"occurred_at"`
	SchemaVersion string `json:"schema_version"`
	CommandID     string `json:"command_id,omitempty"`
	RequestHash   string `json:"request_hash,omitempty"`
	PreviousHash  string `json:"previous_hash,omitempty"`
	KeyID         string `json:"key_id,omitempty"`
}

const timeFormat = "2006-01-02T15:04:05.000000Z"

// Envelope is a domain event as it was recorded.
type Envelope struct {
	ID         uuid.UUID
	Stream     string
	Revision   uint64
	Position   eventstore.Position
	RecordedAt time.Time
	Type       string // wire name
	Event      any    // a session.Event, staff.Event, profile.Event or queue.Event, by value
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
	meta, err := json.Marshal(wireMetadata{
		CorrelationID: m.CorrelationID, CausationID: m.CausationID, ActorID: m.Actor.ID, ActorRole: string(m.Actor.Role),
		OccurredAt: m.OccurredAt.UTC().Format(timeFormat), SchemaVersion: strconv.Itoa(version),
		CommandID: m.CommandID, RequestHash: m.RequestHash,
	})
	if err != nil {
		return eventstore.Event{}, fmt.Errorf("eventcodec: encode metadata of %s: %w", name, err)
	}
	return eventstore.Event{ID: id, Type: name, Data: data, Metadata: meta}, nil
}

// Decode gives the domain event of what the log holds. It fails with *UnknownEvent for one that this program cannot know.
func Decode(r eventstore.Recorded) (Envelope, error) {
	m, err := decodeMetadata(r.Metadata)
	if err != nil {
		return Envelope{}, fmt.Errorf("eventcodec: metadata of %s at %s/%d: %w", r.Type, r.Stream, r.Revision, err)
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

func decodeMetadata(data []byte) (Metadata, error) {
	var w wireMetadata
	if err := json.Unmarshal(data, &w); err != nil {
		return Metadata{}, err
	}
	version, err := strconv.Atoi(w.SchemaVersion)
	if err != nil {
		return Metadata{}, fmt.Errorf("schema_version: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, w.OccurredAt)
	if err != nil {
		return Metadata{}, fmt.Errorf("occurred_at: %w", err)
	}
	return Metadata{
		CorrelationID: w.CorrelationID, CausationID: w.CausationID,
		Actor:      domain.Actor{ID: w.ActorID, Role: domain.Role(w.ActorRole)},
		OccurredAt: at.UTC(), SchemaVersion: version, CommandID: w.CommandID, RequestHash: w.RequestHash,
	}, nil
}
