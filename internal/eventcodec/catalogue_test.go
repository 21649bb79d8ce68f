package eventcodec

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func TestEveryEventOfTheDomainIsInTheCatalogue(t *testing.T) {
	for prefix, source := range map[string][2]string{
		SessionPrefix: {"../../domain/session", "sessionEvent"}, StaffPrefix: {"../../domain/staff", "staffEvent"},
		ProfilePrefix: {"../../domain/profile", "profileEvent"}, QueuePrefix: {"../../domain/queue", "queueEvent"},
		AccessPrefix: {"../../domain/access", "accessEvent"},
	} {
		var types []string
		for _, d := range Catalogue() {
			if d.Prefix == prefix {
				types = append(types, d.Type.Name())
			}
		}
		slices.Sort(types)
		if sealed := domaintest.Sealed(t, source[0], source[1]); !slices.Equal(types, sealed) {
			t.Errorf("%s: the catalogue has\n%v, the source\n%v", prefix, types, sealed)
		}
	}
}

// A Go type may be renamed; what stands in the log never changes.
func TestTheWireNamesNeverChange(t *testing.T) {
	want := []string{
		"AgentJoined", "HelpRequested", "HelpResolved", "MessageRedacted", "OfferDeclined", "OfferExpired", "ParticipantLeft",
		"PrivateMessageSent", "PublicMessageSent", "SessionAbandoned", "SessionConcluded", "SessionOffered", "SessionQueued",
		"SessionRequested", "SessionTransferred", "SupervisorJoined", "SupervisorStartedMonitoring", "SupervisorStoppedMonitoring",
		"WrapUpCompleted",
	}
	if got := Names(SessionPrefix); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	want = []string{
		"ProfileAssigned", "SlotReleased", "SlotReserved", "StaffLoggedIn", "StaffLoggedOut", "StaffRegistered", "StaffStatusChanged",
	}
	if got := Names(StaffPrefix); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := append(Names(ProfilePrefix), Names(QueuePrefix)...); !slices.Equal(got, []string{"ProfileChanged", "ProfileDefined", "QueueChanged", "QueueDefined"}) {
		t.Errorf("got %v", got)
	}
	if got := Names(AccessPrefix); !slices.Equal(got, []string{"AccessRecorded"}) {
		t.Errorf("got %v", got)
	}
	if got := Names(""); len(got) != len(byName) || len(byName) != len(byType) || len(byType) != len(catalogue) {
		t.Error("a name or a type stands in the catalogue twice")
	}
}

func TestAnEventComesBackAsItWas(t *testing.T) {
	for _, d := range Catalogue() {
		event := catalogueEvent(t, d.Name)
		stored, err := Encode(anID, event, Metadata{OccurredAt: domaintest.FilledAt})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(eventstore.Recorded{Event: stored, Stream: d.Prefix + "x", Revision: 3, Position: 9})
		if err != nil || !reflect.DeepEqual(got.Event, event) || got.Type != d.Name || NameOf(got.Event) != d.Name || got.Revision != 3 {
			t.Errorf("got %+v, %v", got, err)
		}
		if session := got.SessionID(); (session == "x") != (d.Prefix == SessionPrefix) {
			t.Errorf("%s is of session %q", d.Name, session)
		}
	}
}

func TestAnUnknownEventOrVersionIsToldApart(t *testing.T) {
	for _, c := range []struct {
		name    string
		version string
		unknown bool
	}{
		{"NoSuchEvent", "1", true}, {"StaffLoggedOut", "2", true}, {"StaffLoggedOut", "0", true}, {"StaffLoggedOut", "-1", true},
		{"StaffLoggedOut", "one", false}, {"", "1", true},
	} {
		r := eventstore.Recorded{Event: eventstore.Event{
			Type: c.name, Data: []byte(`{}`), Metadata: []byte(`{"schema_version":"` + c.version + `","occurred_at":"2026-03-04T05:06:07Z"}`),
		}}
		_, err := Decode(r)
		if _, unknown := errors.AsType[*UnknownEvent](err); err == nil || unknown != c.unknown {
			t.Errorf("%s version %s: %v", c.name, c.version, err)
		}
	}
	if _, err := Encode(anID, struct{}{}, Metadata{}); err == nil || NameOf(struct{}{}) != "" {
		t.Error("a type that is not in the catalogue is encoded")
	}
	if _, err := Encode(anID, &session.HelpResolved{}, Metadata{}); err == nil {
		t.Error("a pointer is encoded: events are values")
	}
}

func TestDamagedBytesAreAnErrorAndNoUnknownEvent(t *testing.T) {
	good := `{"schema_version":"1","occurred_at":"2026-03-04T05:06:07Z"}`
	for name, r := range map[string]eventstore.Event{
		"data":     {Type: "StaffLoggedOut", Data: []byte(`{`), Metadata: []byte(good)},
		"metadata": {Type: "StaffLoggedOut", Data: []byte(`{}`), Metadata: []byte(`[]`)},
		"time":     {Type: "StaffLoggedOut", Data: []byte(`{}`), Metadata: []byte(`{"schema_version":"1","occurred_at":"noon"}`)},
	} {
		_, err := Decode(eventstore.Recorded{Event: r})
		if _, unknown := errors.AsType[*UnknownEvent](err); err == nil || unknown {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type renamed struct {
	FullName string `json:"full_name"`
	Language string `json:"language"`
}

func TestOlderVersionsAreLedToThePresentOneStepByStep(t *testing.T) {
	rename := func(data json.RawMessage) (json.RawMessage, error) {
		var old struct{ Name string }
		if err := json.Unmarshal(data, &old); err != nil {
			return nil, err
		}
		return json.Marshal(map[string]string{"full_name": old.Name})
	}
	speak := func(data json.RawMessage) (json.RawMessage, error) {
		var old map[string]string
		err := json.Unmarshal(data, &old)
		old["language"] = "en"
		out, _ := json.Marshal(old)
		return out, err
	}
	e := event[renamed]("test-", "TestOnly", rename, speak)
	byName[e.name], byType[e.goType] = e, e
	t.Cleanup(func() { delete(byName, e.name); delete(byType, e.goType) })

	for version, data := range map[int]string{
		1: `{"Name":"Ann"}`, 2: `{"full_name":"Ann"}`, 3: `{"full_name":"Ann","language":"en"}`,
	} {
		if got, err := decode("TestOnly", version, []byte(data)); err != nil || got != (renamed{"Ann", "en"}) {
			t.Errorf("version %d: %+v, %v", version, got, err)
		}
	}
	if _, version, _, err := encode(renamed{}); version != 3 || err != nil {
		t.Errorf("encoded as version %d, %v", version, err)
	}
	if _, err := decode("TestOnly", 1, []byte(`[]`)); err == nil {
		t.Error("an upcaster's error is lost")
	}
	if _, err := decode("TestOnly", 4, []byte(`{}`)); err == nil {
		t.Error("a version of the future is read")
	}
}

func FuzzDecode(f *testing.F) {
	for _, d := range Catalogue() {
		data, _ := json.Marshal(domaintest.Filled(reflect.Zero(d.Type).Interface(), "x"))
		f.Add(d.Name, data, []byte(`{"schema_version":"1","occurred_at":"2026-03-04T05:06:07Z"}`))
	}
	f.Add("QueueDefined", []byte(`null`), []byte(`{"schema_version":"-9223372036854775808","occurred_at":""}`))
	f.Fuzz(func(t *testing.T, name string, data, metadata []byte) {
		got, err := Decode(eventstore.Recorded{Event: eventstore.Event{Type: name, Data: data, Metadata: metadata}, Stream: "session-x"})
		if err != nil {
			return
		}
		if _, err := Encode(anID, got.Event, got.Metadata); err != nil {
			t.Errorf("%+v was read and cannot be stored: %v", got, err)
		}
	})
}
