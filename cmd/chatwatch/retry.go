package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/projections"
)

// retryCommand folds parked streams again. A server may run: it stands by meanwhile, and goes on.
type retryCommand struct {
	Projection string `arg:"" optional:"" help:"Which one, or all." default:"all"`
}

func (c *retryCommand) Run(ctx context.Context, e *environment) (err error) {
	group, err := chosen(c.Projection)
	if err != nil {
		return err
	}
	store, db, err := e.openStores(ctx, e.readLog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close(), db.Close()) }()
	done, err := projections.RetryParked(ctx, db, e.project(store), group, e.projecting())
	still := 0
	for _, one := range done {
		if one.Cause == "" {
			fmt.Fprintf(e.stdout, "%s: %s has been folded, %d events\n", one.Projection, one.Stream, one.Events)
			continue
		}
		still++
		fmt.Fprintf(e.stdout, "%s: %s is still parked: %s\n", one.Projection, one.Stream, one.Cause)
	}
	if err != nil {
		return err
	}
	if len(done) == 0 {
		fmt.Fprintln(e.stdout, "nothing is parked")
	}
	if still > 0 {
		return fmt.Errorf("%d streams cannot be folded", still)
	}
	return nil
}
