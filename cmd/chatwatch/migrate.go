package main

import (
	"context"
	"fmt"
)

// migrateCommand brings the schema of the read models up to date, as serve does at its start.
type migrateCommand struct{}

func (c *migrateCommand) Run(ctx context.Context, e *environment) error {
	if _, err := e.secret(); err != nil { // makes the data directory
		return err
	}
	db, err := e.openReadModels(ctx)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "the schema of %s is up to date\n", e.readModels())
	return nil
}
