package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Table keeps snapshots in the table process_state of a read database, for all processes that use it. The last one who saves
// wins: a snapshot that is older costs its reader a little of the log, and nothing else.
type Table struct {
	db    readstore.DB
	clock func() time.Time
}

// NewTable keeps snapshots in a database.
func NewTable(db readstore.DB, clock func() time.Time) *Table { return &Table{db, clock} }

// tableTimeout bounds how long a snapshot may take.
const tableTimeout = 10 * time.Second

// Load reads the last snapshot of a name into state; ok is false when there is none that can be read.
func (t *Table) Load(name string, state any) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), tableTimeout)
	defer cancel()
	rows, err := t.db.Query(ctx, "SELECT state FROM process_state WHERE name = ?", name)
	found, err := readstore.Collect(rows, err, func(rows readstore.Rows) (text string, err error) { return text, rows.Scan(&text) })
	if err != nil || len(found) == 0 {
		return false, err
	}
	var stored file
	if err := json.Unmarshal([]byte(found[0]), &stored); err != nil || stored.Format != format {
		return false, nil
	}
	return json.Unmarshal(stored.State, state) == nil, nil
}

// Save replaces the snapshot of a name. The state may tell the position that it stands for as a member "position".
func (t *Table) Save(name string, state any) error {
	encoded, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	var place struct {
		Position uint64 `json:"position"`
	}
	_ = json.Unmarshal(encoded, &place) // it stays 0 otherwise
	data, err := json.Marshal(file{Format: format, State: encoded})
	if err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), tableTimeout)
	defer cancel()
	err = t.db.Write(ctx, func(tx readstore.Tx) error {
		const upsert = `INSERT INTO process_state (name, position, state, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (name)
			DO UPDATE SET position = excluded.position, state = excluded.state, updated_at = excluded.updated_at`
		_, err := tx.Exec(upsert, name, int64(place.Position), string(data), readstore.At(t.clock()))
		return err
	})
	if err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	return nil
}
