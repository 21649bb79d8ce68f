package command_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// reads asks for a transcript as somebody, some time after noon, and tells whether that left a record.
func reads(t *testing.T, s *command.Service, who domain.Actor, after time.Duration, read access.Read, narrowed string) bool {
	t.Helper()
	r := command.Request{ID: uuid.New(), Actor: who, At: noon.Add(after)}
	position, err := s.RecordAccess(t.Context(), r, read, narrowed)
	if err != nil {
		t.Fatal(err)
	}
	return position != eventstore.Start
}

var iris = domain.Actor{ID: "iris", Role: domain.RoleAuditor}

func TestAReadingIsInTheLogBeforeItIsAnswered(t *testing.T) {
	store := open(t)
	s := service(t, store, false)
	read := access.Read{Kind: access.OfTranscript, SessionID: "s", QueueID: "billing", As: domain.RoleAuditor, Format: access.CSV}
	if !reads(t, s, iris, 0, read, "") {
		t.Fatal("nothing was recorded")
	}
	log := readLog(t, store)
	want := access.AccessRecorded{
		ReaderID: "iris", ReaderRole: domain.RoleAuditor, Kind: access.OfTranscript, SessionID: "s", QueueID: "billing",
		As: domain.RoleAuditor, Format: access.CSV, AccessedAt: noon,
	}
	if len(log) != 1 || log[0].Stream != "access-iris" || log[0].Event != want || log[0].Metadata.Actor != iris || log[0].Metadata.OccurredAt != noon {
		t.Errorf("the log has %s", show(log))
	}
}

func TestThePagesOfOneReadingAreOneRecordAndEveryExportIsOne(t *testing.T) {
	s := service(t, open(t), false)
	json, csv := access.Read{Kind: access.OfTranscript, SessionID: "s", Format: access.JSON}, access.Read{Kind: access.OfTranscript, SessionID: "s", Format: access.CSV}
	other, past := json, json
	other.SessionID = "other"
	past.At = &noon
	for i, step := range []struct {
		who      domain.Actor
		after    time.Duration
		read     access.Read
		narrowed string
		recorded bool
	}{
		{iris, 0, json, "", true}, {iris, 59 * time.Second, json, "", false}, {iris, time.Minute, json, "", true},
		{iris, 30 * time.Second, json, "", true}, // by the clock of a time before the record
		{iris, 31 * time.Second, other, "", true}, {iris, 31 * time.Second, past, "", true}, {iris, 31 * time.Second, json, "x", true},
		{domain.Actor{ID: "iris", Role: domain.RoleAdmin}, 31 * time.Second, json, "", true},
		{iris, 31 * time.Second, csv, "", true}, {iris, 31 * time.Second, csv, "", true}, {iris, 31 * time.Second, json, "", false},
		{domain.Actor{ID: "c", Role: domain.RoleCustomer}, 0, csv, "", false},
	} {
		if got := reads(t, s, step.who, step.after, step.read, step.narrowed); got != step.recorded {
			t.Errorf("step %d: recorded is %v", i, got)
		}
	}
}

func TestAReadingThatCannotBeRecordedFailsAndIsRecordedWhenItComesAgain(t *testing.T) {
	store := &faults{Store: open(t), failAt: 1, fate: lost}
	s := service(t, store, false)
	read := access.Read{Kind: access.OfEvents, SessionID: "s", Format: access.JSON}
	r := command.Request{ID: uuid.New(), Actor: iris, At: noon}
	if _, err := s.RecordAccess(t.Context(), r, read, ""); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if !reads(t, s, iris, time.Second, read, "") {
		t.Error("what was not recorded counts as recorded")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.RecordAccess(gone, r, access.Read{Kind: access.OfEvents, Format: access.CSV}, ""); err == nil {
		t.Error("a caller who is gone is recorded, or not, and told nothing")
	}
}

func TestAStreamRefusesNoReaderForTheirName(t *testing.T) {
	store := open(t)
	s := service(t, store, false)
	for _, id := range []string{"sue", "Sue", "auth0|123 ü", strings.Repeat("x", 1024)} {
		if !reads(t, s, domain.Actor{ID: id, Role: domain.RoleAuditor}, 0, access.Read{Kind: access.OfSupervision, Format: access.JSON}, "") {
			t.Errorf("%q was not recorded", id)
		}
	}
	streams := map[string]bool{}
	for _, e := range readLog(t, store) {
		streams[e.Stream] = true
	}
	if len(streams) != 4 || !streams["access-sue"] {
		t.Errorf("%v", streams)
	}
}
