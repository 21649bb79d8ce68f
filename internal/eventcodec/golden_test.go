package eventcodec

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// A golden file of a new event or version is made by go test ./internal/eventcodec -update. One that exists is never
// written again: it is what the log holds.
var update = flag.Bool("update", false, "write the golden files that do not exist yet")

var anID = uuid.MustParse("018f0000-0000-7000-8000-000000000001")

func golden(t *testing.T, name string, present []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	stored, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && *update {
		if err := os.WriteFile(path, append(present, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return present
	}
	if err != nil {
		t.Fatalf("%v: run go test ./internal/eventcodec -update for a new event or version", err)
	}
	return bytes.TrimSuffix(stored, []byte("\n"))
}

func TestEveryEventIsStoredAsItsGoldenFileSays(t *testing.T) {
	for _, d := range Catalogue() {
		t.Run(d.Name, func(t *testing.T) {
			event := domaintest.Filled(reflect.Zero(d.Type).Interface(), d.Name)
			name, version, data, err := encode(event)
			if err != nil || name != d.Name || version != d.Version {
				t.Fatalf("%s, version %d: %v", name, version, err)
			}
			if want := golden(t, fmt.Sprintf("%s.v%d.json", name, version), data); !bytes.Equal(data, want) {
				t.Errorf("got  %s\nwant %s", data, want)
			}
		})
	}
}

func TestEveryStoredVersionIsReadAgain(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.v*.json")
	if err != nil || len(paths) < len(catalogue) {
		t.Fatalf("%d golden files, %v", len(paths), err)
	}
	form := regexp.MustCompile(`^(\w+)\.v(\d+)\.json$`)
	for _, path := range paths {
		parts := form.FindStringSubmatch(filepath.Base(path))
		if parts == nil {
			t.Fatalf("odd name %s", path)
		}
		if parts[1] == "metadata" {
			continue
		}
		version, _ := strconv.Atoi(parts[2])
		event, err := decode(parts[1], version, golden(t, filepath.Base(path), nil))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		name, present, data, err := encode(event)
		if want := golden(t, fmt.Sprintf("%s.v%d.json", name, present), nil); err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s is stored again as %s, want %s (%v)", path, data, want, err)
		}
	}
}

func TestMetadataIsStoredAsItsGoldenFileSays(t *testing.T) {
	m := Metadata{
		CorrelationID: "correlation", CausationID: "causation", Actor: domain.Actor{ID: "sue", Role: domain.RoleStaff},
		OccurredAt: domaintest.FilledAt, SchemaVersion: 1, CommandID: anID.String(), RequestHash: "hash",
	}
	event, err := Encode(anID, catalogueEvent(t, "StaffLoggedOut"), m)
	if err != nil {
		t.Fatal(err)
	}
	if want := golden(t, "metadata.v1.json", event.Metadata); !bytes.Equal(event.Metadata, want) {
		t.Errorf("got  %s\nwant %s", event.Metadata, want)
	}
	got, err := Decode(eventstore.Recorded{Event: event, Stream: "staff-sue"})
	if err != nil || got.Metadata != m {
		t.Errorf("got %+v, %v", got.Metadata, err)
	}
}

func TestMetadataIsAFlatMapOfStringsAndKeepsUnknownKeysOut(t *testing.T) {
	event, err := Encode(anID, catalogueEvent(t, "StaffLoggedOut"), Metadata{OccurredAt: domaintest.FilledAt})
	if err != nil {
		t.Fatal(err)
	}
	var flat map[string]string
	if err := json.Unmarshal(event.Metadata, &flat); err != nil || flat["schema_version"] != "1" {
		t.Errorf("%v %v", flat, err)
	}
	event.Metadata = []byte(`{"schema_version":"1","occurred_at":"2026-03-04T05:06:07Z","key_id":"k","previous_hash":"h","new":"x"}`)
	if _, err := Decode(eventstore.Recorded{Event: event}); err != nil {
		t.Error(err)
	}
}

func catalogueEvent(t *testing.T, name string) any {
	t.Helper()
	e, ok := byName[name]
	if !ok {
		t.Fatalf("%s is not in the catalogue", name)
	}
	return domaintest.Filled(reflect.Zero(e.goType).Interface(), name)
}
