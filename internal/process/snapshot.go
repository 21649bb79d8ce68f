package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Snapshot is the stored state of a process at a place of the log.
type Snapshot struct {
	// Format grows when the form of a state changes; a snapshot of another format is not read, and the log is folded anew.
	Format   int                 `json:"format"`
	Position eventstore.Position `json:"position"`
	State    json.RawMessage     `json:"state"`
}

// snapshotFormat of the states as they are now.
const snapshotFormat = 1

// Snapshots keeps the states of processes in a folder, a file each. Losing them loses no more than time.
type Snapshots struct{ dir string }

// OpenSnapshots makes the folder when it is not there.
func OpenSnapshots(dir string) (*Snapshots, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("process snapshots: %w", err)
	}
	return &Snapshots{dir}, nil
}

func (s *Snapshots) path(name string) string { return filepath.Join(s.dir, name+".json") }

// Load returns the last snapshot of a process; ok is false when there is none that can be read.
func (s *Snapshots) Load(name string) (snapshot Snapshot, ok bool, err error) {
	data, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Snapshot{}, false, nil
	}
	if err != nil {
		return Snapshot{}, false, fmt.Errorf("load snapshot of %s: %w", name, err)
	}
	if err := json.Unmarshal(data, &snapshot); err != nil || snapshot.Format != snapshotFormat {
		return Snapshot{}, false, nil
	}
	return snapshot, true, nil
}

// Save replaces the snapshot of a process at once: a reader finds the old one or the new one.
func (s *Snapshots) Save(name string, position eventstore.Position, state json.RawMessage) error {
	data, err := json.Marshal(Snapshot{Format: snapshotFormat, Position: position, State: state})
	if err != nil {
		return fmt.Errorf("save snapshot of %s: %w", name, err)
	}
	draft := s.path(name) + ".new"
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return fmt.Errorf("save snapshot of %s: %w", name, err)
	}
	if err := os.Rename(draft, s.path(name)); err != nil {
		return fmt.Errorf("save snapshot of %s: %w", name, err)
	}
	return nil
}
