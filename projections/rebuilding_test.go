package projections_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

var small = projections.Rebuilding{Options: projections.Options{MaxBatch: 8}}

// following is a log that notes from where it is followed, and calls something before each batch.
type following struct {
	projections.Log
	next func()

	mu   sync.Mutex
	from []eventstore.Position
}

func (l *following) Follow(ctx context.Context, after eventstore.Position) (projections.Source, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = append(l.from, after)
	source, err := l.Log.Follow(ctx, after)
	return calling{source, l.next}, err
}

// began is from where it was followed first.
func (l *following) began() eventstore.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.from[0]
}

type calling struct {
	projections.Source
	next func()
}

func (s calling) Next(ctx context.Context) (projections.Batch, error) {
	s.next()
	return s.Source.Next(ctx)
}

func nothing() {}

// built is up to where an interrupted rebuild has folded.
func built(t *testing.T, db readstore.DB) eventstore.Position {
	t.Helper()
	second, err := db.Beside(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	return stored(t, second)
}

func TestAnInterruptedRebuildIsContinued(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		db, log := p.open(t), childLog()
		projectiontest.Apply(t, db, log, catalogue.All()...)
		want := projectiontest.Dump(t, db, catalogue.All()...)
		interrupted := func(r projections.Rebuilding) error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			batches := 0
			return projections.Rebuild(ctx, db, &following{Log: log, next: func() {
				if batches++; batches == 20 {
					cancel()
				}
			}}, catalogue.All(), r)
		}
		for name, interrupt := range map[string]func(){
			"cancelled": func() {
				if err := interrupted(small); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			},
			"killed": func() {
				c := start(t, "rebuild", p)
				if !c.until("batch", 20) {
					t.Fatal("the process has ended")
				}
				c.kill()
			},
		} {
			for _, anew := range []bool{false, true} {
				if anew && name == "killed" {
					continue // as after the other
				}
				interrupt()
				at := built(t, db)
				if at == 0 || at == stored(t, db) {
					t.Fatalf("%s: it was interrupted at %d", name, at)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
				r := small
				r.Anew = anew
				second := &following{Log: log, next: nothing}
				if err := projections.Rebuild(context.Background(), db, second, catalogue.All(), r); err != nil {
					t.Fatal(err)
				}
				if from := second.began(); anew != (from == 0) || !anew && from < at {
					t.Errorf("%s: it was continued from %d, not %d", name, from, at)
				}
				projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
			}
		}
	})
}

func TestOneProcessRebuildsAtATime(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		log, one, two := history(16, 200), p.open(t), p.open(t)
		projectiontest.Apply(t, one, log, catalogue.All()...)
		want := projectiontest.Dump(t, one, catalogue.All()...)
		for _, test := range []struct {
			pause time.Duration
			want  error
		}{
			{6 * time.Second, projections.ErrRebuilding},
			{0, nil}, // in time for the patience of the second
		} {
			open, reached := make(chan struct{}), make(chan struct{}, 100)
			ended := make(chan error, 1)
			go func() {
				ended <- projections.Rebuild(context.Background(), one, &following{Log: log, next: func() { reached <- struct{}{}; <-open }},
					catalogue.All(), projections.Rebuilding{})
			}()
			<-reached
			time.AfterFunc(test.pause, func() { close(open) })
			second := projections.Rebuild(context.Background(), two, log, catalogue.All(), projections.Rebuilding{})
			first := <-ended
			// A machine that does not let the first renew its lease in time hands it to the second: then that one swaps.
			starved := errors.Is(first, projections.ErrSuperseded) && second == nil
			slow := test.want == nil && errors.Is(second, projections.ErrRebuilding) // and the second lost its patience
			if !starved && (first != nil || !slow && !errors.Is(second, test.want)) {
				t.Errorf("the first rebuild ends with %v, the second with %v", first, second)
			}
			projectiontest.Equal(t, want, projectiontest.Dump(t, one, catalogue.All()...))
		}
	})
}

func TestRebuildsThatBeginTogetherDoNotFailForIt(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		log, db := history(16, 30), p.open(t)
		projectiontest.Apply(t, db, log, catalogue.All()...)
		want := projectiontest.Dump(t, db, catalogue.All()...)
		var wait sync.WaitGroup
		for range 3 {
			own := p.open(t)
			wait.Go(func() {
				err := projections.Rebuild(context.Background(), own, log, catalogue.All(), projections.Rebuilding{})
				if err != nil && !errors.Is(err, projections.ErrRebuilding) && !errors.Is(err, projections.ErrSuperseded) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
	})
}

func TestRowsOfAnotherVersionServeUntilTheyAreRebuilt(t *testing.T) {
	t.Parallel()
	log := history(17, 300)
	each(t, func(t *testing.T, db readstore.DB) {
		ctx := context.Background()
		projectiontest.Apply(t, db, log, catalogue.All()...)
		want := projectiontest.Dump(t, db, catalogue.All()...)
		if err := db.Write(ctx, func(tx readstore.Tx) error {
			_, err := tx.Exec("UPDATE dim_queue SET name = 'as it was made before'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		newer := func() (group []projections.Projection) {
			for _, p := range catalogue.All() {
				if p.Name() == "directory" {
					p = projections.Versioned(p, 99)
				}
				group = append(group, p)
			}
			return group
		}
		open, called := make(chan struct{}), make(chan error, 1)
		e, err := projections.NewEngine(db, log, newer(), projections.Options{Stale: func(ctx context.Context) {
			called <- projections.RebuildStale(ctx, db, &following{Log: log, next: func() { <-open }}, newer(), projections.Rebuilding{})
		}})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, e)
		defer stop()
		waitFor(t, e, log) // with the old rows
		if rows := projectiontest.Dump(t, db, catalogue.All()...); len(rows["dim_queue"]) != len(want["dim_queue"]) || rows["dim_queue"][0] == want["dim_queue"][0] {
			t.Error("the old rows do not serve")
		}
		close(open)
		if err := <-called; err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "the engine does not go on", e.Leading)
		projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
		status, err := e.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range status {
			if (s.Name == "directory") != (s.Version == 99) {
				t.Errorf("%s is of version %d", s.Name, s.Version)
			}
		}
	})
}

func TestAnOlderProgramLeavesWhatANewerOneHasBuiltUnlessItIsToldToRebuild(t *testing.T) {
	t.Parallel()
	log := history(18, 200)
	each(t, func(t *testing.T, db readstore.DB) {
		ctx := context.Background()
		newer, _ := catalogue.New("directory")
		older, _ := catalogue.New("directory")
		projectiontest.Apply(t, db, log, projections.Versioned(newer, 2))
		e, err := projections.NewEngine(db, log, []projections.Projection{older}, projections.Options{Alone: true})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, e)
		defer stop()
		waitFor(t, e, log) // where the newer one has brought it
		eventually(t, 5*time.Second, "the older one does not say why it stands by", func() bool {
			return errors.Is(e.Trouble(), projections.ErrNewer) && !e.Leading()
		})
		again, _ := catalogue.New("directory")
		if err := projections.Rebuild(ctx, db, log, []projections.Projection{again}, projections.Rebuilding{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "the older one does not go on with what it has rebuilt", e.Leading)
		if status, err := e.Status(ctx); err != nil || status[0].Version != 1 {
			t.Errorf("%+v %v", status, err)
		}
	})
}
