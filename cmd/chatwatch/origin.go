package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// origin tells which log a data directory's read models and snapshots were folded from: positions in one log mean nothing
// in another. It is noted as soon as the log has a first event that can be read.
type origin struct {
	Store string              `json:"store"` // kind of the log
	First uuid.UUID           `json:"first"` // id of the product's first event, zero as long as there is none
	At    eventstore.Position `json:"at"`    // and where it stands
}

// Kinds of logs.
const (
	inDataDir = "embedded"
	onServers = "eventstoredb"
)

func (e *environment) kind() string {
	if e.EventStore != "" {
		return onServers
	}
	return inDataDir
}

// checkKind refuses a log of another kind than the one that the read models tell of.
func (e *environment) checkKind(ctx context.Context, db readstore.DB) error {
	stored, err := projections.Stored(ctx, db)
	if err != nil || stored == eventstore.Start {
		return err
	}
	before, err := e.lastOrigin()
	switch {
	case err != nil:
		return err
	case before.Store == onServers && e.kind() == inDataDir:
		return fmt.Errorf("data directory %s: its read models tell of a log on an event store, and --eventstore is not given", e.DataDir)
	case before.Store != onServers && e.kind() == onServers: // the first versions had no other and did not note it
		return fmt.Errorf("data directory %s: its read models tell of the embedded log, and --eventstore names another: use another --data-dir", e.DataDir)
	}
	return nil
}

// checkLog refuses a log that is not the one that the read models tell of, or that ends before what they hold: they would go
// on telling of events that are not there. Snapshots of another log are removed.
func (e *environment) checkLog(ctx context.Context, store eventstore.Store, db readstore.DB) error {
	before, err := e.lastOrigin()
	if err != nil {
		return err
	}
	stored, err := projections.Stored(ctx, db)
	if err != nil {
		return err
	}
	same, err := holds(ctx, store, before)
	if err != nil {
		return err
	}
	whole, err := eventstore.Reaches(ctx, store, stored)
	if err != nil {
		return err
	}
	head, err := store.Head(ctx)
	switch {
	case err != nil:
		return err
	case !same && stored > eventstore.Start && (whole || head >= before.At):
		return fmt.Errorf("the read models %s were folded from another log: use another --data-dir, or delete them, and they are folded anew",
			e.readFile())
	case !whole:
		return fmt.Errorf("the log ends at position %d, and the read models %s are at %d: delete them, and they are folded anew",
			head, e.readFile(), stored)
	case same && before.Store == e.kind():
		return nil
	case !same || before.Store != e.kind() && before.Store != "" || head == eventstore.Start:
		if err := os.RemoveAll(e.snapshots()); err != nil {
			return fmt.Errorf("remove the snapshots of another log: %w", err)
		}
		before = origin{}
	}
	before.Store = e.kind()
	return e.keepOrigin(before)
}

// holds tells whether a log has the first event where it was noted. Nothing speaks against it when none was.
func holds(ctx context.Context, store eventstore.Store, o origin) (bool, error) {
	if o.First == uuid.Nil {
		return true, nil
	}
	for e, err := range store.ReadAll(ctx, o.At, eventstore.Backwards, 1, eventcodec.Streams()) {
		if errors.Is(err, eventstore.ErrInvalid) {
			return false, nil
		}
		return err == nil && e.ID == o.First && e.Position == o.At, err
	}
	return false, nil
}

// noteOrigin waits for the first event of a log that had none, and notes it.
func (e *environment) noteOrigin(ctx context.Context, store eventstore.Store) error {
	o, err := e.lastOrigin()
	if err != nil || o.First != uuid.Nil {
		return err
	}
	first, err := firstEvent(ctx, store)
	for errors.Is(err, eventstore.ErrUnavailable) && ctx.Err() == nil {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		first, err = firstEvent(ctx, store)
	}
	if err != nil {
		return err
	}
	o.First, o.At = first.ID, first.Position
	return e.keepOrigin(o)
}

// firstEvent waits for the product's first event in a log.
func firstEvent(ctx context.Context, store eventstore.Store) (eventstore.Recorded, error) {
	sub, err := store.Subscribe(ctx, eventstore.Start, eventcodec.Streams())
	if err != nil {
		return eventstore.Recorded{}, err
	}
	defer sub.Close()
	for {
		b, err := sub.Next(ctx)
		if err != nil {
			return eventstore.Recorded{}, err
		}
		if len(b.Events) > 0 {
			return b.Events[0], nil
		}
	}
}

// writeDurably writes a file that is whole after a power cut, when it is there.
func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
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

// keepOrigin replaces the note at once: a reader finds the old one or the new one.
func (e *environment) keepOrigin(o origin) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = writeDurably(e.originFile()+".new", append(data, '\n'))
	}
	if err == nil {
		err = os.Rename(e.originFile()+".new", e.originFile())
	}
	if err != nil {
		return fmt.Errorf("keep which log the data directory is of: %w", err)
	}
	return nil
}
