package projections_test

import (
	"context"
	"errors"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

func named(name string) []projections.Projection {
	p, _ := catalogue.New(name)
	return []projections.Projection{p}
}

func TestRebuildsFollowOneAnotherWhateverTheyLeave(t *testing.T) {
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			log := history(21, 600)
			db := open(t)
			projectiontest.Apply(t, db, log, catalogue.All()...)
			want := projectiontest.Dump(t, db, catalogue.All()...)
			ctx, cancel := context.WithCancel(t.Context())
			err := projections.Rebuild(ctx, db, log, named("sessions"), projections.Rebuilding{
				Options: projections.Options{MinBatch: 1, MaxBatch: 1},
				Progress: func(done, total eventstore.Position) {
					if done > total/2 {
						cancel()
					}
				},
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the interrupted rebuild ends with %v", err)
			}
			for _, group := range [][]projections.Projection{
				named("directory"), named("directory"), catalogue.All(), catalogue.All(), named("sessions"),
			} {
				if err := projections.Rebuild(t.Context(), db, log, group, projections.Rebuilding{}); err != nil {
					t.Fatal(err)
				}
				if parked, err := projections.Parked(t.Context(), db, 10); err != nil || len(parked) > 0 {
					t.Fatalf("%v %v", parked, err)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
			}
		})
	}
}

// dying is a database whose process dies when the tables have been swapped, before anything else is written.
type dying struct{ readstore.DB }

func (d dying) Beside(ctx context.Context, tables []string) (readstore.Beside, error) {
	b, err := d.DB.Beside(ctx, tables)
	return &dyingBeside{freshSet: b}, err
}

type freshSet = readstore.Beside // whose own method Beside hides the name

type dyingBeside struct {
	freshSet
	dead bool
}

var errDead = errors.New("the process has died")

func (b *dyingBeside) Write(ctx context.Context, fn func(readstore.Tx) error) error {
	if b.dead {
		return errDead
	}
	return b.freshSet.Write(ctx, fn)
}

func (b *dyingBeside) Swap(ctx context.Context, tables []string, fn func(readstore.Tx, func() error) error) error {
	err := b.freshSet.Swap(ctx, tables, fn)
	b.dead = err == nil
	return err
}

func TestARebuildThatDiedWhenItHadSwappedIsNotContinued(t *testing.T) {
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for a lease
			log := history(22, 300)
			db := open(t)
			projectiontest.Apply(t, db, log, catalogue.All()...)
			want := projectiontest.Dump(t, db, catalogue.All()...)
			err := projections.Rebuild(t.Context(), dying{db}, log, catalogue.All(), projections.Rebuilding{})
			if !errors.Is(err, errDead) {
				t.Fatalf("it ends with %v", err)
			}
			projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
			if err := projections.Rebuild(t.Context(), db, log, catalogue.All(), projections.Rebuilding{}); err != nil {
				t.Fatal(err)
			}
			projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
		})
	}
}
