// Package snapshot keeps folded states, in files or in a table, so that a start does not fold the log from its beginning. A snapshot is
// never the truth: whoever reads one has to be able to do without, and to tell whether it fits the log.
package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// format of the files as they are now. A file of another format is not read.
const format = 2

// file is the form of a snapshot on disk.
type file struct {
	Format int             `json:"format"`
	State  json.RawMessage `json:"state"`
}

// Files keeps snapshots in a folder, a file each.
type Files struct{ dir string }

// Open makes the folder when it is not there.
func Open(dir string) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	return &Files{dir}, nil
}

func (f *Files) path(name string) string { return filepath.Join(f.dir, name+".json") }

// Load reads the last snapshot of a name into state; ok is false when there is none that can be read.
func (f *Files) Load(name string, state any) (ok bool, err error) {
	data, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("load snapshot %s: %w", name, err)
	}
	var stored file
	if err := json.Unmarshal(data, &stored); err != nil || stored.Format != format {
		return false, nil // torn by a power cut, or of another version
	}
	return json.Unmarshal(stored.State, state) == nil, nil
}

// Save replaces the snapshot of a name at once: a reader finds the old one or the new one. It does not wait for the disk:
// after a power cut the file may be unreadable, which is like having none.
func (f *Files) Save(name string, state any) error {
	encoded, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	data, err := json.Marshal(file{Format: format, State: encoded})
	if err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	draft := f.path(name) + ".new"
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	if err := os.Rename(draft, f.path(name)); err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	return nil
}
