package snapshot_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chatwatch/chatwatch/internal/snapshot"
)

type state struct {
	Slots []string
}

func TestASnapshotComesBackAsItWasSaved(t *testing.T) {
	files, err := snapshot.Open(filepath.Join(t.TempDir(), "snapshots"))
	if err != nil {
		t.Fatal(err)
	}
	var got state
	if ok, err := files.Load("staff-ada", &got); ok || err != nil {
		t.Fatalf("a snapshot that nobody saved: %v %v", ok, err)
	}
	for _, s := range []string{"a", "b"} {
		if err := files.Save("staff-ada", state{Slots: []string{s}}); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := files.Load("staff-ada", &got); !ok || err != nil || got.Slots[0] != "b" {
		t.Errorf("got %v %v %v, want the last one saved", got, ok, err)
	}
}

func TestAFileThatCannotBeReadIsLikeNone(t *testing.T) {
	dir := t.TempDir()
	files, err := snapshot.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "{", `{"format":1,"state":{}}`, `{"format":2,"state":{"Slots":1}}`} {
		if err := os.WriteFile(filepath.Join(dir, "x.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var got state
		if ok, err := files.Load("x", &got); ok || err != nil {
			t.Errorf("%q: %v %v", content, ok, err)
		}
	}
}
