package eventcodec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/chatwatch/chatwatch/domain"
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

// Keys of the wire form. previous_hash and key_id have their place among them and no writer yet; readers pass over keys
// that they do not know.
const (
	correlationKey   = "$correlationId"
	causationKey     = "$causationId"
	actorIDKey       = "actor_id"
	actorRoleKey     = "actor_role"
	occurredAtKey    = "occurred_at"
	schemaVersionKey = "schema_version"
	commandIDKey     = "command_id"
	requestHashKey   = "request_hash"
)

const timeFormat = "2006-01-02T15:04:05.000000Z"

// appendMetadata writes the wire form. Every event is written and read many times, so this is done by hand.
func appendMetadata(b []byte, m Metadata, version int) []byte {
	b = append(b, '{')
	b = appendMember(b, correlationKey, m.CorrelationID)
	b = appendMember(b, causationKey, m.CausationID)
	if m.Actor.ID != "" {
		b = appendMember(b, actorIDKey, m.Actor.ID)
	}
	b = appendMember(b, actorRoleKey, string(m.Actor.Role))
	b = append(b, `,"`+occurredAtKey+`":"`...)
	b = m.OccurredAt.UTC().AppendFormat(b, timeFormat)
	b = append(b, `","`+schemaVersionKey+`":"`...)
	b = strconv.AppendInt(b, int64(version), 10)
	b = append(b, '"')
	if m.CommandID != "" {
		b = appendMember(b, commandIDKey, m.CommandID)
	}
	if m.RequestHash != "" {
		b = appendMember(b, requestHashKey, m.RequestHash)
	}
	return append(b, '}')
}

func appendMember(b []byte, key, value string) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, key...)
	b = append(b, `":`...)
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(value) // of a string, which cannot fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}

// decodeMetadata reads the wire form: by hand where it is as appendMetadata writes it, by the library otherwise.
func decodeMetadata(data []byte) (Metadata, error) {
	const absent = math.MinInt
	m := Metadata{SchemaVersion: absent}
	var err error
	if !eachPlainMember(data, func(key, value []byte) { err = firstError(err, m.set(key, string(value))) }) {
		var members map[string]string
		if err := json.Unmarshal(data, &members); err != nil {
			return Metadata{}, err
		}
		m, err = Metadata{SchemaVersion: absent}, nil
		for key, value := range members {
			err = firstError(err, m.set([]byte(key), value))
		}
	}
	switch {
	case err != nil:
		return Metadata{}, err
	case m.SchemaVersion == absent:
		return Metadata{}, fmt.Errorf("%s is missing", schemaVersionKey)
	case m.OccurredAt.IsZero():
		return Metadata{}, fmt.Errorf("%s is missing", occurredAtKey)
	}
	return m, nil
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (m *Metadata) set(key []byte, value string) (err error) {
	switch string(key) {
	case correlationKey:
		m.CorrelationID = value
	case causationKey:
		m.CausationID = value
	case actorIDKey:
		m.Actor.ID = value
	case actorRoleKey:
		m.Actor.Role = domain.Role(value)
	case occurredAtKey:
		m.OccurredAt, err = time.Parse(time.RFC3339Nano, value)
		m.OccurredAt = m.OccurredAt.UTC()
	case schemaVersionKey:
		m.SchemaVersion, err = strconv.Atoi(value)
	case commandIDKey:
		m.CommandID = value
	case requestHashKey:
		m.RequestHash = value
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// eachPlainMember calls yield for each member of a JSON object of strings without white space and without escapes. It
// returns false for anything else, of which yield may have seen a part.
func eachPlainMember(data []byte, yield func(key, value []byte)) bool {
	if len(data) < 2 || data[0] != '{' || data[len(data)-1] != '}' || bytes.IndexByte(data, '\\') >= 0 {
		return false
	}
	rest := data[1 : len(data)-1]
	for first := true; len(rest) > 0; first = false {
		if !first {
			if rest[0] != ',' {
				return false
			}
			rest = rest[1:]
		}
		var key, value []byte
		var ok bool
		if key, rest, ok = plainString(rest); !ok || len(rest) == 0 || rest[0] != ':' {
			return false
		}
		if value, rest, ok = plainString(rest[1:]); !ok {
			return false
		}
		yield(key, value)
	}
	return true
}

// plainString takes a JSON string without escapes off the beginning.
func plainString(data []byte) (s, rest []byte, ok bool) {
	if len(data) < 2 || data[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(data[1:], '"')
	if end < 0 {
		return nil, nil, false
	}
	s = data[1 : 1+end]
	for _, c := range s {
		if c < ' ' || c > '~' {
			return nil, nil, false
		}
	}
	return s, data[end+2:], true
}
