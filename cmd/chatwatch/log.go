package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// openStores opens the read models and the log that they are folded from, the latter by open, in this order: a log of another
// kind is refused before anything is made or asked.
func (e *environment) openStores(ctx context.Context, open func(context.Context) (eventstore.Store, error)) (store eventstore.Store, db readstore.DB, err error) {
	if db, err = e.openReadModels(ctx); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		if store != nil {
			err = errors.Join(err, store.Close())
		}
		err = errors.Join(err, db.Close())
		store, db = nil, nil
	}()
	if err := e.checkKind(ctx, db); err != nil {
		return nil, db, err
	}
	if store, err = open(ctx); err != nil {
		return nil, db, err
	}
	return store, db, e.checkLog(ctx, store, db)
}

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
