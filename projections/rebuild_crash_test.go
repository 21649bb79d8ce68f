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

var errKilled = errors.New("killed")

type freshSet = readstore.Beside // whose name is not that of one of its methods

// doomed is a set of tables whose process ends just after it has been emptied, or swapped.
type doomed struct {
	freshSet
	atEmpty, atSwap bool
	beforeSwap      func(readstore.Beside) error
}

func (d doomed) Empty(ctx context.Context, tables []string) error {
	if err := d.freshSet.Empty(ctx, tables); err != nil || !d.atEmpty {
		return err
	}
	return errKilled
}

func (d doomed) Swap(ctx context.Context, tables []string, fn func(readstore.Tx, func() error) error) error {
	if d.beforeSwap != nil {
		if err := d.beforeSwap(d.freshSet); err != nil {
			return err
		}
	}
	if err := d.freshSet.Swap(ctx, tables, fn); err != nil || !d.atSwap {
		return err
	}
	return errKilled
}

// mortal is a database whose sets of tables are doomed.
type mortal struct {
	readstore.DB
	as doomed
}

func (m mortal) Beside(ctx context.Context, tables []string) (readstore.Beside, error) {
	beside, err := m.DB.Beside(ctx, tables)
	m.as.freshSet = beside
	return m.as, err
}

// rebuildHalf leaves a rebuild that was interrupted in the middle.
func rebuildHalf(t *testing.T, db readstore.DB, log projections.Log) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := projections.Rebuild(ctx, db, log, catalogue.All(), projections.Rebuilding{
		Options: projections.Options{MaxBatch: 50},
		Progress: func(done, total eventstore.Position) {
			if done > total/2 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the rebuild was to be interrupted: %v", err)
	}
}

func TestARebuildThatIsKilledIsNeverContinuedFromTablesThatAreEmpty(t *testing.T) {
	t.Parallel()
	log := history(41, 1000)
	want := clean(t, log)
	rebuild := func(db readstore.DB, anew bool) error {
		return projections.Rebuild(context.Background(), db, log, catalogue.All(), projections.Rebuilding{Anew: anew})
	}
	for name, as := range map[string]doomed{"emptied": {atEmpty: true}, "swapped": {atSwap: true}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db readstore.DB) {
				projectiontest.Apply(t, db, log, catalogue.All()...)
				rebuildHalf(t, db, log)
				if err := rebuild(mortal{db, as}, as.atEmpty); !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
				if err := rebuild(db, false); err != nil {
					t.Fatal(err)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
			})
		})
	}
}

func TestARebuildThatAnotherProcessHasTakenOverDoesNotSwap(t *testing.T) {
	t.Parallel()
	log := history(42, 300)
	each(t, func(t *testing.T, db readstore.DB) {
		projectiontest.Apply(t, db, log, catalogue.All()...)
		took := doomed{beforeSwap: func(beside readstore.Beside) error {
			return beside.Write(context.Background(), func(tx readstore.Tx) error {
				_, err := tx.Exec("UPDATE checkpoint SET epoch = epoch + 1, holder = 'another'")
				return err
			})
		}}
		err := projections.Rebuild(context.Background(), mortal{db, took}, log, catalogue.All(), projections.Rebuilding{})
		if !errors.Is(err, projections.ErrSuperseded) {
			t.Errorf("got %v, want that it was superseded", err)
		}
		projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
	})
}
