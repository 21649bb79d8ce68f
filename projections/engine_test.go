package projections_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// each runs a test on every read database.
func each(t *testing.T, test func(t *testing.T, db readstore.DB)) {
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// history writes a log of random commands that are the same for a seed.
func history(seed uint64, steps int) *projectiontest.Log {
	random := rand.New(rand.NewPCG(seed, seed))
	log := &projectiontest.Log{Step: 37}
	h := &projectiontest.History{Log: log, Pick: random.IntN}
	h.Begin()
	for range steps {
		h.Step()
	}
	return log
}

// clean gives the tables of a log as a database has them that never saw trouble.
func clean(t *testing.T, log projections.Log) map[string][]string {
	t.Helper()
	db := projectiontest.Open(t)
	projectiontest.Apply(t, db, log, catalogue.All()...)
	return projectiontest.Dump(t, db, catalogue.All()...)
}

func run(t *testing.T, e *projections.Engine) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func waitFor(t *testing.T, e *projections.Engine, log projections.Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	head, _ := log.Head(ctx)
	if err := e.WaitFor(ctx, head); err != nil {
		t.Fatal(err)
	}
}

func TestTheHistoriesOfTheTestsAreWorthIt(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, e := range history(1, 3000).Events() {
		seen[e.Type]++
	}
	for _, name := range eventcodec.Names("") {
		if seen[name] == 0 && name != "ProfileAssigned" && !strings.HasSuffix(name, "Changed") {
			t.Errorf("there is no %s", name)
		}
	}
	t.Log(seen)
}

func TestFailedTransactionsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	log := history(2, 1500)
	random := rand.New(rand.NewPCG(3, 3))
	var mu sync.Mutex // what folds, what commits and what renews the lease go on beside each other
	fail := func(at string) error {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(10) == 0 {
			return errors.New("made to fail " + at)
		}
		return nil
	}
	each(t, func(t *testing.T, db readstore.DB) {
		var group []projections.Projection
		for _, p := range catalogue.All() {
			group = append(group, projections.Faulty(p, fail))
		}
		e, err := projections.NewEngine(failing{db, fail}, log, group, projections.Options{MaxBatch: 1, Retry: time.Microsecond, RetryMax: time.Microsecond})
		if err != nil {
			t.Fatal(err)
		}
		stop := run(t, e)
		waitFor(t, e, log)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
	})
}

// failing is a database whose transactions fail now and then: before they begin, before they are committed, and after, when
// only the answer is lost.
type failing struct {
	readstore.DB
	fail func(at string) error
}

func (f failing) Write(ctx context.Context, fn func(readstore.Tx) error) error {
	if err := f.fail("before"); err != nil {
		return err
	}
	err := f.DB.Write(ctx, func(tx readstore.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return f.fail("at the end")
	})
	if err == nil {
		err = f.fail("after")
	}
	return err
}

func TestAnEngineThatHasBeenReplacedStepsDown(t *testing.T) {
	t.Parallel()
	log := history(4, 200)
	db := projectiontest.Open(t)
	first := projectiontest.Engine(t, db, log, catalogue.All()...)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- first.Run(ctx) }()
	waitFor(t, first, log)
	second, err := projections.NewEngine(db, log, catalogue.All(), projections.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, second)
	waitFor(t, second, log)
	projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
	waitFor(t, second, log)
	waitFor(t, first, log) // which stands by, and looks where the second is
	if first.Leading() || !second.Leading() {
		t.Error("the first engine still has the lease")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	projectiontest.Append[queue.Event](log, "queue-newer", t0, queue.QueueDefined{QueueID: "newer"})
	waitFor(t, first, log) // which has taken over again
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
}

func TestWhatCannotBeFoldedParksItsStreamAlone(t *testing.T) {
	t.Parallel()
	good, bad := "session-good", "session-bad"
	requested := session.SessionRequested{Queue: session.QueueRef{ID: "q"}, Customer: session.Customer{Name: "Carl"}}
	unknown := projections.Decoded{Err: &eventcodec.UnknownEvent{Type: "FromTheFuture", Version: 1}}
	unknown.Stream, unknown.Type = bad, "FromTheFuture"
	odd := projections.Decoded{Envelope: eventcodec.Envelope{Stream: "queue-odd", Type: "QueueChanged", Event: queue.QueueChanged{}}}

	log := &projectiontest.Log{}
	projectiontest.Append[session.Event](log, bad, t0, requested)
	projectiontest.Append[session.Event](log, good, t0, requested)
	log.Add(unknown)
	log.Add(odd) // a change of what was never defined: the fold panics
	projectiontest.Append[session.Event](log, bad, t0, session.SessionQueued{})
	projectiontest.Append[session.Event](log, good, t0, session.SessionQueued{})

	db := projectiontest.Open(t)
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	stop := run(t, e)
	waitFor(t, e, log)
	projectiontest.Append[session.Event](log, bad, t0, session.SessionAbandoned{})
	projectiontest.Append[session.Event](log, good, t0, session.SessionAbandoned{})
	waitFor(t, e, log)
	_ = stop()

	parked, err := projections.Parked(context.Background(), db, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"sessions session-bad": 3, "transcript session-bad": 3, "directory queue-odd": 1}
	for _, p := range parked {
		if want[p.Projection+" "+p.Stream] != p.Events {
			t.Errorf("unexpected: %+v", p)
		}
		delete(want, p.Projection+" "+p.Stream)
	}
	if len(want) > 0 {
		t.Errorf("not parked: %v", want)
	}
	for id, entries := range map[string]int{"good": 3, "bad": 1} {
		got, err := transcript.NewReader(db).Query(context.Background(), "", session.Reader{As: session.ToAuditor}, -1, 10)
		if err != nil || len(got) != 0 {
			t.Fatal(got, err)
		}
		rows, err := readstore.Dump(context.Background(), db, "transcript_auditor")
		if n := strings.Count(strings.Join(rows, "\n"), "session_id="+id+"|"); err != nil || n != entries {
			t.Errorf("session %s has %d entries, want %d (%v)", id, n, entries, err)
		}
	}
	live := projectiontest.Dump(t, db, catalogue.All()...)
	if err := projections.Rebuild(context.Background(), db, log, catalogue.All(), projections.Rebuilding{}); err != nil {
		t.Fatal(err)
	}
	projectiontest.Equal(t, live, projectiontest.Dump(t, db, catalogue.All()...))
}

func TestWaitingEndsWhenThePositionIsReachedOrTheContextEnds(t *testing.T) {
	t.Parallel()
	log := history(5, 10)
	db := projectiontest.Open(t)
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	stop := run(t, e)
	defer stop()
	waitFor(t, e, log)
	head, _ := log.Head(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	waits := make(chan error)
	go func() { waits <- e.WaitFor(context.Background(), head+1) }()
	go func() { waits <- e.WaitFor(ctx, head+2) }()
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Fatalf("the first to return ended with %v", err)
	}
	projectiontest.Append[queue.Event](log, "queue-new", t0, queue.QueueDefined{QueueID: "new"})
	if err := <-waits; err != nil {
		t.Fatal(err)
	}
	status, err := e.Status(context.Background())
	if err != nil || len(status) != len(catalogue.Names()) || e.Position() != head+1 {
		t.Fatalf("position %d, %+v, %v", e.Position(), status, err)
	}
	for _, s := range status {
		if s.Position != head+1 || s.Lag != (projections.Lag{}) || s.Holder == "" || s.Name == "sessions" && s.Events == 0 {
			t.Errorf("%+v", s)
		}
	}
}

func TestOneProjectionCanBeRebuiltAlone(t *testing.T) {
	t.Parallel()
	log := history(6, 800)
	db := projectiontest.Open(t)
	projectiontest.Apply(t, db, log, catalogue.All()...)
	want := projectiontest.Dump(t, db, catalogue.All()...)
	for _, name := range catalogue.Names() {
		p, _ := catalogue.New(name)
		if err := db.Write(context.Background(), func(tx readstore.Tx) error {
			_, err := tx.Exec("DELETE FROM " + p.Tables()[0])
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var last, total eventstore.Position
		err := projections.Rebuild(context.Background(), db, log, []projections.Projection{p}, projections.Rebuilding{
			Progress: func(d, n eventstore.Position) { last, total = d, n },
		})
		if err != nil || last != total || total == 0 {
			t.Fatalf("rebuild %s: %v, progress %d of %d", name, err, last, total)
		}
	}
	projectiontest.Equal(t, want, projectiontest.Dump(t, db, catalogue.All()...))
}

func TestARowThatTheDatabaseRefusesParksItsStreamAlone(t *testing.T) {
	t.Parallel()
	log := history(8, 300)
	db := projectiontest.Open(t)
	var occupied string
	for _, e := range log.Events() {
		if occupied == "" {
			occupied = string(e.SessionID())
		}
	}
	err := db.Write(context.Background(), func(tx readstore.Tx) error {
		_, err := tx.Exec("INSERT INTO transcript_session (session_key, session_id) VALUES (?, ?)", int64(1)<<40, occupied)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e := projectiontest.Engine(t, db, log, catalogue.All()...)
	stop := run(t, e)
	waitFor(t, e, log)
	_ = stop()
	parked, err := projections.Parked(context.Background(), db, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(parked) != 1 || parked[0].Stream != "session-"+occupied || parked[0].Projection != transcript.Name {
		t.Fatalf("parked: %+v", parked)
	}
	want := clean(t, log)
	got := projectiontest.Dump(t, db, catalogue.All()...)
	for _, table := range []string{"fact_session_step", "fact_queue_segment", "dim_staff"} {
		projectiontest.Equal(t, map[string][]string{table: want[table]}, map[string][]string{table: got[table]})
	}
}
