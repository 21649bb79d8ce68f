package projections_test

import (
	"context"
	"errors"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
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
