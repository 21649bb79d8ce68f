package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
)

// migrateCommand brings the schema of the read models up to date, as serve does at its start.
type migrateCommand struct{}

func (c *migrateCommand) Run(ctx context.Context, e *environment) error {
	if _, err := e.secret(); err != nil { // makes the data directory
		return err
	}
	db, err := sqlitedb.Open(ctx, e.readFile(), e.log)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s is up to date\n", e.readFile())
	return nil
}
