package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgres"
	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
)

// openReadModels opens the read models, on the server of --database or in the data directory, and brings their schema up to
// date.
func (e *environment) openReadModels(ctx context.Context) (db readstore.DB, err error) {
	if e.Database != "" {
		db, err = postgres.Open(ctx, e.Database, postgres.Options{Logger: e.log, Name: processName(), Wait: e.DatabaseWait})
	} else {
		db, err = sqlitedb.Open(ctx, e.readFile(), e.log)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.readModels(), err)
	}
	if err := db.Migrate(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// readModels is what they are called in messages; never with the address, which can hold a password.
func (e *environment) readModels() string {
	if e.Database != "" {
		return "the read models at --database"
	}
	return "the read models " + e.readFile()
}

// processName tells this process from all others that use the database, for people as well.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	host = strings.ReplaceAll(host, "#", "-")
	return fmt.Sprintf("chatwatch %.24s %d %s", host, os.Getpid(), uuid.NewString()[:8])
}
