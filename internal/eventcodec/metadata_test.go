package eventcodec

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/domain"
)

func TestMetadataWrittenByHandIsReadByTheLibraryAndByHandAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		m := Metadata{
			CorrelationID: text.Draw(t, "correlation"), CausationID: text.Draw(t, "causation"),
			Actor:      domain.Actor{ID: text.Draw(t, "id"), Role: domain.Role(text.Draw(t, "role"))},
			OccurredAt: time.UnixMicro(rapid.Int64Range(1, 1<<52).Draw(t, "at")).UTC(), SchemaVersion: rapid.IntRange(1, 9).Draw(t, "version"),
			CommandID: text.Draw(t, "command"), RequestHash: text.Draw(t, "hash"),
		}
		wire := appendMetadata(nil, m, m.SchemaVersion)
		var members map[string]string
		if err := json.Unmarshal(wire, &members); err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
		spaced, err := json.MarshalIndent(members, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{wire, spaced} {
			if got, err := decodeMetadata(data); err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("got %+v %v, want %+v", got, err, m)
			}
		}
	})
}

func BenchmarkDecodeMetadata(b *testing.B) {
	wire := appendMetadata(nil, Metadata{
		CorrelationID: "5f54f307-c940-488e-875b-b9d4e7a268fc", CausationID: "5f54f307-c940-488e-875b-b9d4e7a268fc",
		Actor: domain.Actor{ID: "ada", Role: domain.RoleStaff}, OccurredAt: time.Now(),
	}, 1)
	for b.Loop() {
		if _, err := decodeMetadata(wire); err != nil {
			b.Fatal(err)
		}
	}
}
