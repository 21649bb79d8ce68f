package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// verifyCommand reads all that the log holds of the product: positions must grow, the revisions of every stream must be
// without gap or repeat, and every event must be readable.
type verifyCommand struct{}

func (c *verifyCommand) Run(ctx context.Context, e *environment) error {
	store, err := e.readLog(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	found, err := verify(ctx, store)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d events in %d streams, up to position %d\n", found.events, found.streams, found.last)
	for _, fault := range found.faults {
		fmt.Fprintln(e.stdout, fault)
	}
	if len(found.faults) > 0 {
		return errors.New("the log does not hold together")
	}
	return nil
}

type verified struct {
	events, streams int
	last            eventstore.Position
	faults          []string // the first ones
}

const maxFaults = 100

func (v *verified) fault(format string, args ...any) {
	if len(v.faults) < maxFaults {
		v.faults = append(v.faults, fmt.Sprintf(format, args...))
	}
}

func verify(ctx context.Context, store eventstore.Store) (verified, error) {
	var v verified
	next := map[string]uint64{}
	for recorded, err := range store.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, eventcodec.Streams()) {
		if err != nil {
			return v, err
		}
		if recorded.Position <= v.last {
			v.fault("position %d comes after position %d", recorded.Position, v.last)
		}
		if want := next[recorded.Stream]; recorded.Revision != want {
			v.fault("%s: revision %d stands where %d should", recorded.Stream, recorded.Revision, want)
		}
		if _, err := eventcodec.Decode(recorded); err != nil {
			v.fault("position %d: %s of %s cannot be read", recorded.Position, recorded.Type, recorded.Stream)
		}
		next[recorded.Stream] = recorded.Revision + 1
		v.last = recorded.Position
		v.events++
	}
	v.streams = len(next)
	return v, nil
}
