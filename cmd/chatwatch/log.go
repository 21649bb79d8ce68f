package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// openLog opens the event log to append to it: on the servers of --eventstore, otherwise in the data directory.
func (e *environment) openLog(ctx context.Context) (eventstore.Store, error) {
	if e.EventStore != "" {
		return e.connect(ctx)
	}
	store, err := embedded.Open(ctx, e.logFile(), embedded.WithLogger(e.log))
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", e.DataDir, err)
	}
	return store, nil
}

// readLog opens the event log for reading, beside a server or without one.
func (e *environment) readLog(ctx context.Context) (eventstore.Store, error) {
	if e.EventStore != "" {
		return e.connect(ctx)
	}
	store, err := embedded.OpenReadOnly(ctx, e.logFile())
	if err != nil {
		return nil, err
	}
	return store, nil
}

func (e *environment) connect(ctx context.Context) (eventstore.Store, error) {
	settings, err := eventstoredb.ParseSettings(e.EventStore)
	if err != nil {
		return nil, fmt.Errorf("--eventstore: %w", err)
	}
	store, err := eventstoredb.Open(ctx, settings, eventstoredb.WithLogger(e.log), eventstoredb.WithWait(e.EventStoreWait))
	if err != nil {
		return nil, err
	}
	return store, nil
}

// claim keeps other processes from the data directory until what it returns is closed or the process ends.
func (e *environment) claim() (*flock.Flock, error) {
	if err := os.MkdirAll(e.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock := flock.New(filepath.Join(e.DataDir, "lock"), flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err == nil && !held {
		err = errors.New("in use by another process")
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", e.DataDir, err)
	}
	return lock, nil
}

// origin tells which log a data directory's read models and snapshots were folded from: positions in one log mean
// nothing in another.
type origin struct {
	Store string    `json:"store"` // embedded or eventstoredb
	First uuid.UUID `json:"first"` // id of the log's first event, zero as long as there is none
}

func (e *environment) origin(ctx context.Context, store eventstore.Store) (origin, error) {
	o := origin{Store: "embedded"}
	if e.EventStore != "" {
		o.Store = "eventstoredb"
	}
	for first, err := range store.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 1, eventstore.Filter{}) {
		if err != nil {
			return o, err
		}
		o.First = first.ID
	}
	return o, nil
}

func (o origin) differs(from origin) bool {
	return from.Store != "" && o.Store != from.Store ||
		o.First != from.First && o.First != uuid.Nil && from.First != uuid.Nil
}

// checkLog refuses a log that is not the one that the read models tell of, or that ends before what they hold: they would go
// on telling of events that are not there. Snapshots of another log are removed.
func (e *environment) checkLog(ctx context.Context, store eventstore.Store, db *readstore.DB) error {
	stored, err := projections.Stored(ctx, db)
	if err != nil {
		return err
	}
	whole, err := eventstore.Reaches(ctx, store, stored)
	if err != nil {
		return err
	}
	if !whole {
		head, err := store.Head(ctx)
		if err != nil {
			return err
		}
		return fmt.Errorf("the log ends at position %d, and the read models %s are at %d: delete them, and they are folded anew",
			head, e.readFile(), stored)
	}
	now, err := e.origin(ctx, store)
	if err != nil {
		return err
	}
	before, err := e.lastOrigin()
	if err != nil {
		return err
	}
	other := now.differs(before)
	if other && stored > eventstore.Start {
		return fmt.Errorf("the read models %s were folded from another log: use another --data-dir, or delete them, and they are folded anew",
			e.readFile())
	}
	if other || now.First == uuid.Nil {
		if err := os.RemoveAll(e.snapshots()); err != nil {
			return fmt.Errorf("remove the snapshots of another log: %w", err)
		}
	}
	if now == before {
		return nil
	}
	return e.keepOrigin(now)
}

func (e *environment) originFile() string { return filepath.Join(e.DataDir, "log.json") }

func (e *environment) lastOrigin() (o origin, err error) {
	data, err := os.ReadFile(e.originFile())
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		return o, fmt.Errorf("read which log the data directory is of: %w", err)
	}
	return o, nil
}

func (e *environment) keepOrigin(o origin) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(e.originFile()+".new", append(data, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(e.originFile()+".new", e.originFile())
	}
	if err != nil {
		return fmt.Errorf("keep which log the data directory is of: %w", err)
	}
	return nil
}
