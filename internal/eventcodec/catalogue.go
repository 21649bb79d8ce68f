// Package eventcodec turns domain events into the bytes of the log and back. It holds the one catalogue of wire names, the
// schema version of each event and the upcasters from older shapes, so that renaming a Go type changes nothing that is
// stored. It decides nothing.
package eventcodec

//go:generate go run ./eventdoc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Prefixes of the streams, by what they tell of. The identifier follows.
const (
	SessionPrefix = "session-"
	StaffPrefix   = "staff-"
	ProfilePrefix = "profile-"
	QueuePrefix   = "queue-"
	AccessPrefix  = "access-"
)

// Streams passes the events of the product, and nothing that others keep in the same log.
func Streams() eventstore.Filter {
	return eventstore.Filter{StreamPrefixes: []string{SessionPrefix, StaffPrefix, ProfilePrefix, QueuePrefix, AccessPrefix}}
}

// lenient is how events are read: as encoding/json reads them, with the decoder that is its successor and takes a third of
// the time. Whoever else appends events may write members twice or in other letters, and what is stored must stay readable.
var lenient = jsonv2.JoinOptions(
	jsonv2.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
)

// Upcast turns the stored data of one schema version into the data of the next.
type Upcast func(data json.RawMessage) (json.RawMessage, error)

// entry describes a wire name. The present schema version is len(upcasts) + 1.
type entry struct {
	name    string
	prefix  string
	goType  reflect.Type
	decode  func([]byte) (any, error)
	upcasts []Upcast // upcasts[i] leads from version i+1 to i+2
}

func (e entry) version() int { return len(e.upcasts) + 1 }

func event[T any](prefix, name string, upcasts ...Upcast) entry {
	return entry{
		name: name, prefix: prefix, goType: reflect.TypeFor[T](), upcasts: upcasts,
		decode: func(data []byte) (any, error) {
			var e T
			err := jsonv2.Unmarshal(data, &e, lenient)
			return e, err
		},
	}
}

// catalogue of every event that is stored. A name is never reused and never taken out.
var catalogue = []entry{
	event[session.SessionRequested](SessionPrefix, "SessionRequested"),
	event[session.SessionQueued](SessionPrefix, "SessionQueued"),
	event[session.SessionOffered](SessionPrefix, "SessionOffered"),
	event[session.OfferDeclined](SessionPrefix, "OfferDeclined"),
	event[session.OfferExpired](SessionPrefix, "OfferExpired"),
	event[session.AgentJoined](SessionPrefix, "AgentJoined"),
	event[session.PublicMessageSent](SessionPrefix, "PublicMessageSent"),
	event[session.PrivateMessageSent](SessionPrefix, "PrivateMessageSent"),
	event[session.SupervisorStartedMonitoring](SessionPrefix, "SupervisorStartedMonitoring"),
	event[session.SupervisorJoined](SessionPrefix, "SupervisorJoined"),
	event[session.SupervisorStoppedMonitoring](SessionPrefix, "SupervisorStoppedMonitoring"),
	event[session.ParticipantLeft](SessionPrefix, "ParticipantLeft"),
	event[session.HelpRequested](SessionPrefix, "HelpRequested"),
	event[session.HelpResolved](SessionPrefix, "HelpResolved"),
	event[session.SessionTransferred](SessionPrefix, "SessionTransferred"),
	event[session.SessionAbandoned](SessionPrefix, "SessionAbandoned"),
	event[session.SessionConcluded](SessionPrefix, "SessionConcluded"),
	event[session.WrapUpCompleted](SessionPrefix, "WrapUpCompleted"),
	event[session.MessageRedacted](SessionPrefix, "MessageRedacted"),

	event[staff.StaffRegistered](StaffPrefix, "StaffRegistered"),
	event[staff.ProfileAssigned](StaffPrefix, "ProfileAssigned"),
	event[staff.StaffLoggedIn](StaffPrefix, "StaffLoggedIn"),
	event[staff.StaffLoggedOut](StaffPrefix, "StaffLoggedOut"),
	event[staff.StaffStatusChanged](StaffPrefix, "StaffStatusChanged"),
	event[staff.SlotReserved](StaffPrefix, "SlotReserved"),
	event[staff.SlotReleased](StaffPrefix, "SlotReleased"),

	event[profile.ProfileDefined](ProfilePrefix, "ProfileDefined"),
	event[profile.ProfileChanged](ProfilePrefix, "ProfileChanged"),

	event[queue.QueueDefined](QueuePrefix, "QueueDefined"),
	event[queue.QueueChanged](QueuePrefix, "QueueChanged"),

	event[access.AccessRecorded](AccessPrefix, "AccessRecorded"),
}

var (
	byName = map[string]entry{}
	byType = map[reflect.Type]entry{}
)

func init() {
	for _, e := range catalogue {
		byName[e.name], byType[e.goType] = e, e
	}
}

// Names lists the wire names of the events whose streams begin with the prefix, all of them for "", sorted.
func Names(prefix string) []string {
	var names []string
	for _, e := range catalogue {
		if strings.HasPrefix(e.prefix, prefix) {
			names = append(names, e.name)
		}
	}
	slices.Sort(names)
	return names
}

// Description tells of an event that is stored.
type Description struct {
	Name    string // on the wire
	Prefix  string // of its streams
	Version int    // of the schema, at present
	Type    reflect.Type
}

// Catalogue describes every event, in the order of their streams.
func Catalogue() []Description {
	all := make([]Description, len(catalogue))
	for i, e := range catalogue {
		all[i] = Description{Name: e.name, Prefix: e.prefix, Version: e.version(), Type: e.goType}
	}
	return all
}

// NameOf returns the wire name of a domain event; it is "" for a type that is not in the catalogue.
func NameOf(domainEvent any) string { return byType[reflect.TypeOf(domainEvent)].name }

// UnknownEvent is an event of the log whose wire name or version this program does not know.
type UnknownEvent struct {
	Type    string
	Version int
}

func (e *UnknownEvent) Error() string {
	return fmt.Sprintf("eventcodec: unknown event %s of schema version %d", e.Type, e.Version)
}

// UnreadableEvent is an event of the log whose bytes are not what its name promises. Its text does not quote the cause,
// which can quote what people wrote.
type UnreadableEvent struct {
	Type  string
	Cause error
}

func (e *UnreadableEvent) Error() string { return "eventcodec: " + e.Type + " cannot be decoded" }

func (e *UnreadableEvent) Unwrap() error { return e.Cause }

// encode gives the wire name, the schema version and the data of a domain event.
func encode(domainEvent any) (name string, version int, data []byte, err error) {
	e, ok := byType[reflect.TypeOf(domainEvent)]
	if !ok {
		return "", 0, nil, fmt.Errorf("eventcodec: %T is not in the catalogue", domainEvent)
	}
	data, err = json.Marshal(domainEvent)
	return e.name, e.version(), data, err
}

// decode is the opposite of encode, through the upcasters where the stored version is older.
func decode(name string, version int, data []byte) (any, error) {
	e, ok := byName[name]
	if !ok || version < 1 || version > e.version() {
		return nil, &UnknownEvent{name, version}
	}
	for _, up := range e.upcasts[version-1:] {
		next, err := up(data)
		if err != nil {
			return nil, &UnreadableEvent{name, err}
		}
		data = next
	}
	domainEvent, err := e.decode(data)
	if err != nil {
		return nil, &UnreadableEvent{name, err}
	}
	return domainEvent, nil
}
