package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// origin tells which log read models and snapshots were folded from: positions in one log mean nothing in another. It is
// noted as soon as the log has a first event that can be read.
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

// remedy is how read models come to be folded anew.
func (e *environment) remedy() string {
	if e.Database != "" {
		return "name another schema in --database, or empty this one, and they are folded anew"
	}
	return "delete them, and they are folded anew"
}

// checkKind refuses a log of another kind than the one that the read models of a data directory tell of. Those in a database
// are shared by nodes, which may reach one log in two ways: in the data directory, and at the node that serves it.
func (e *environment) checkKind(ctx context.Context, db readstore.DB) error {
	if e.Database != "" {
		return nil
	}
	stored, err := projections.Stored(ctx, db)
	if err != nil || stored == eventstore.Start {
		return err
	}
	before, err := e.noteOf(db).last(ctx)
	switch {
	case err != nil:
		return err
	case before.Store == onServers && e.kind() == inDataDir:
		return fmt.Errorf("%s tell of a log on an event store, and --eventstore is not given", e.readModels())
	case before.Store != onServers && e.kind() == onServers: // the first versions had no other and did not note it
		return fmt.Errorf("%s tell of the embedded log, and --eventstore names another: use another --data-dir or --database", e.readModels())
	}
	return nil
}

// checkLog refuses a log that is not the one that the read models tell of, or that ends before what they hold: they would go
// on telling of events that are not there. It changes nothing.
func (e *environment) checkLog(ctx context.Context, store eventstore.Store, db readstore.DB) error {
	before, err := e.noteOf(db).last(ctx)
	if err != nil {
		return err
	}
	stored, err := projections.Stored(ctx, db)
	if err != nil || stored == eventstore.Start {
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
	case !same && (whole || head >= before.At):
		return fmt.Errorf("%s were folded from another log: %s", e.readModels(), e.remedy())
	case !whole:
		return fmt.Errorf("the log ends at position %d, and %s are at %d: %s", head, e.readModels(), stored, e.remedy())
	}
	return nil
}

// adoptLog notes which kind of log this is where nothing is of another, and removes snapshots that are.
func (e *environment) adoptLog(ctx context.Context, store eventstore.Store, db readstore.DB) error {
	for _, n := range e.notes(db) {
		before, err := n.last(ctx)
		if err != nil {
			return err
		}
		same, err := holds(ctx, store, before)
		if err != nil {
			return err
		}
		_, shared := n.(tableNote)
		if same && (before.Store == e.kind() || shared && before.Store != "") {
			continue
		}
		if _, ofSnapshots := n.(fileNote); ofSnapshots && (!same || before.Store != "") {
			if err := os.RemoveAll(e.snapshots()); err != nil {
				return fmt.Errorf("remove the snapshots of another log: %w", err)
			}
		}
		if !same || before.Store != e.kind() && before.Store != "" {
			before = origin{}
		}
		before.Store = e.kind()
		if err := n.keep(ctx, before); err != nil {
			return err
		}
	}
	return nil
}

// notes are all places where it is kept which log this is.
func (e *environment) notes(db readstore.DB) []note {
	if e.Database == "" {
		return []note{e.fileNote()}
	}
	return []note{tableNote{db}, e.fileNote()}
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

// errOtherLog ends a node whose read models another node folds from another log, which began at the same time.
var errOtherLog = errors.New("another process folds another log into the same read models: each log needs its own --database or schema")

// noteOrigin waits for the first event of a log that had none, and notes it. It fails when another log was noted meanwhile.
func (e *environment) noteOrigin(ctx context.Context, store eventstore.Store, db readstore.DB) error {
	for _, n := range e.notes(db) {
		o, err := n.last(ctx)
		if err != nil || o.First != uuid.Nil {
			if err != nil {
				return err
			}
			continue
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
		if err := n.keep(ctx, o); err != nil {
			return err
		}
		if noted, err := n.last(ctx); err != nil || noted.First != o.First {
			return errors.Join(err, errOtherLog)
		}
	}
	return nil
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
