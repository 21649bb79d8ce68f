package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
)

// rebuildCommand folds the log into read models anew.
type rebuildCommand struct {
	Projection string `arg:"" help:"Which one, one of its tables, or all."`
	Compare    bool   `help:"Compare the rows before and after, and fail when they differ."`
}

func (c *rebuildCommand) Run(ctx context.Context, e *environment) (err error) {
	group, err := c.chosen()
	if err != nil {
		return err
	}
	// Claimed, which a server that runs on the directory would not allow.
	lock, err := e.claim()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	store, db, err := e.openStores(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close(), db.Close()) }()
	engine, err := newEngine(e, store, db, group)
	if err != nil {
		return err
	}
	if c.Compare {
		if err := catchUp(ctx, store, engine); err != nil {
			return err
		}
	}
	before, err := c.dump(ctx, db, group)
	if err != nil {
		return err
	}
	if err := engine.Rebuild(ctx, steps(e.stdout, e.unit())); err != nil {
		return err
	}
	after, err := c.dump(ctx, db, group)
	if err != nil {
		return err
	}
	return differences(e.stdout, before, after)
}

// catchUp brings the read models to the end of the log, which the server may have been stopped before.
func catchUp(ctx context.Context, store eventstore.Store, engine *projections.Engine) error {
	head, err := store.Head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	arrived := make(chan error, 1)
	go func() { arrived <- engine.WaitFor(ctx, head) }()
	select {
	case err := <-done:
		return err
	case err := <-arrived:
		cancel()
		<-done
		return err
	}
}

func (c *rebuildCommand) chosen() ([]projections.Projection, error) {
	if c.Projection == "all" {
		return catalogue.All(), nil
	}
	if p, ok := catalogue.New(c.Projection); ok {
		return []projections.Projection{p}, nil
	}
	for _, p := range catalogue.All() {
		if slices.Contains(p.Tables(), c.Projection) {
			return []projections.Projection{p}, nil
		}
	}
	return nil, fmt.Errorf("there is no projection %q: it is one of %s, one of their tables, or all", c.Projection, strings.Join(catalogue.Names(), ", "))
}

// dump returns the rows of every table of the projections, when they are to be compared.
func (c *rebuildCommand) dump(ctx context.Context, db readstore.DB, group []projections.Projection) (map[string][]string, error) {
	if !c.Compare {
		return nil, nil
	}
	rows := map[string][]string{}
	for _, p := range group {
		for _, table := range p.Tables() {
			dumped, err := readstore.Dump(ctx, db, table)
			if err != nil {
				return nil, err
			}
			rows[table] = dumped
		}
	}
	return rows, nil
}

func differences(w io.Writer, before, after map[string][]string) error {
	var differ []string
	for table, rows := range before {
		if slices.Equal(rows, after[table]) {
			fmt.Fprintf(w, "%s: %d rows, the same as before\n", table, len(rows))
			continue
		}
		differ = append(differ, table)
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		return fmt.Errorf("the rows differ from those before in %s", strings.Join(differ, ", "))
	}
	return nil
}

// steps tells the progress, a line each tenth.
func steps(w io.Writer, unit string) func(done, total eventstore.Position) {
	told := -1
	return func(done, total eventstore.Position) {
		tenth := 10
		if total > 0 {
			tenth = int(done * 10 / total)
		}
		if tenth > told {
			told = tenth
			fmt.Fprintf(w, "%3d %% of %d %s\n", tenth*10, total, unit)
		}
	}
}
