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

// rebuildCommand folds the log into read models anew, beside those that serve. A server may run.
type rebuildCommand struct {
	Projection string `arg:"" help:"Which one, one of its tables, or all."`
	Anew       bool   `help:"Do not continue a rebuild that was interrupted, but start from the beginning of the log."`
	Compare    bool   `help:"Compare the rows before and after, and fail when they differ. No server must be running."`
}

func (c *rebuildCommand) Run(ctx context.Context, e *environment) (err error) {
	collectLess()
	group, err := chosen(c.Projection)
	if err != nil {
		return err
	}
	if c.Compare {
		// Claimed, which a server that runs on the directory would not allow.
		lock, err := e.claim()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	store, db, err := e.openStores(ctx, e.readLog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close(), db.Close()) }()
	if c.Compare {
		if err := e.catchUp(ctx, store, db, group); err != nil {
			return err
		}
	}
	before, err := c.dump(ctx, db, group)
	if err != nil {
		return err
	}
	told := showRebuild(e.stderr)
	err = projections.Rebuild(ctx, db, e.project(store), group, projections.Rebuilding{
		Options: e.projecting(), Anew: c.Anew, Progress: told.progress,
	})
	told.stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "rebuilt and swapped in: %s\n", strings.Join(names(group), ", "))
	after, err := c.dump(ctx, db, group)
	if err != nil {
		return err
	}
	return differences(e.stdout, before, after)
}

// catchUp brings the read models to the end of the log, which the server may have been stopped before.
func (e *environment) catchUp(ctx context.Context, store eventstore.Store, db readstore.DB, group []projections.Projection) error {
	head, err := store.Head(ctx)
	if err != nil {
		return err
	}
	engine, err := projections.NewEngine(db, e.project(store), group, e.projecting())
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

// chosen makes the projections that somebody names: one, the one of a table, or all.
func chosen(name string) ([]projections.Projection, error) {
	if name == "all" {
		return catalogue.All(), nil
	}
	if p, ok := catalogue.New(name); ok {
		return []projections.Projection{p}, nil
	}
	for _, p := range catalogue.All() {
		if slices.Contains(p.Tables(), name) {
			return []projections.Projection{p}, nil
		}
	}
	return nil, fmt.Errorf("there is no projection %q: it is one of %s, one of their tables, or all", name, strings.Join(catalogue.Names(), ", "))
}

func names(group []projections.Projection) []string {
	out := make([]string, len(group))
	for i, p := range group {
		out[i] = p.Name()
	}
	return out
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
