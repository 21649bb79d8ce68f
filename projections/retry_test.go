package projections_test

import (
	"context"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// troubled is a log of three sessions, two of which have an event that the code does not know, the middle of the last as well.
func troubled(known map[string]bool) *projectiontest.Log {
	log := &projectiontest.Log{}
	requested := session.SessionRequested{Queue: session.QueueRef{ID: "q"}, Customer: session.Customer{Name: "Carl"}}
	queued := func(id string) {
		d := projections.Decoded{Envelope: eventcodec.Envelope{Stream: "session-" + id, Type: "SessionQueued", RecordedAt: t0, Event: session.SessionQueued{}}}
		if !known[id] {
			d.Event, d.Err = nil, &eventcodec.UnknownEvent{Type: "SessionQueued", Version: 9}
		}
		log.Add(d)
	}
	projectiontest.Append[queue.Event](log, "queue-q", t0, queue.QueueDefined{QueueID: "q"})
	for _, id := range []string{"good", "mended", "unmended"} {
		projectiontest.Append[session.Event](log, "session-"+id, t0, requested)
	}
	for _, id := range []string{"unmended", "mended", "good"} {
		queued(id)
	}
	for _, id := range []string{"good", "mended", "unmended"} {
		projectiontest.Append[session.Event](log, "session-"+id, t0, session.SessionAbandoned{})
	}
	return log
}

func TestParkedStreamsAreFoldedAfterTheFix(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db readstore.DB) {
		ctx := context.Background()
		before, after := troubled(map[string]bool{"good": true}), troubled(map[string]bool{"good": true, "mended": true})
		running := projectiontest.Engine(t, db, after, catalogue.All()...)
		projectiontest.Apply(t, db, before, catalogue.All()...)
		stop := run(t, running)
		leads(t, running, 5*time.Second)
		done, err := projections.RetryParked(ctx, db, after, catalogue.All(), projections.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range done {
			if mended := one.Stream == "session-mended"; mended != (one.Cause == "") || mended != (one.Events == 2) {
				t.Errorf("%+v", one)
			}
		}
		if len(done) != 4 { // two streams of two projections
			t.Errorf("%+v", done)
		}
		projectiontest.Append[session.Event](after, "session-unmended", t0, session.SessionAbandoned{})
		projectiontest.Append[session.Event](after, "session-new", t0, session.SessionRequested{Queue: session.QueueRef{ID: "q"}})
		eventually(t, 5*time.Second, "the engine does not go on", running.Leading)
		waitFor(t, running, after)
		projectiontest.Equal(t, clean(t, after), projectiontest.Dump(t, db, catalogue.All()...))
		parked, err := projections.Parked(ctx, db, 10)
		if err != nil || len(parked) != 2 {
			t.Fatalf("%+v, %v", parked, err)
		}
		for _, p := range parked {
			if p.Stream != "session-unmended" || p.Events != 3 {
				t.Errorf("%+v", p)
			}
		}
		all := &projectiontest.Log{}
		for _, e := range after.Events() {
			if e.Err != nil {
				e.Err, e.Event = nil, session.SessionQueued{}
			}
			all.Add(e)
		}
		if done, err = projections.RetryParked(ctx, db, all, catalogue.All(), projections.Options{}); err != nil || len(done) != 2 {
			t.Fatalf("%+v, %v", done, err)
		}
		_ = stop()
		projectiontest.Equal(t, clean(t, all), projectiontest.Dump(t, db, catalogue.All()...))
	})
}

// What a fold or the database did not take is taken once the cause is gone.
func TestWhatWasRefusedIsFoldedWhenNothingIsInTheWay(t *testing.T) {
	t.Parallel()
	log := history(19, 150)
	each(t, func(t *testing.T, db readstore.DB) {
		ctx := context.Background()
		occupied := ""
		for _, e := range log.Events() {
			if occupied == "" {
				occupied = string(e.SessionID())
			}
		}
		exec := func(statement string, args ...any) {
			t.Helper()
			err := db.Write(ctx, func(tx readstore.Tx) error { _, err := tx.Exec(statement, args...); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
		exec("INSERT INTO transcript_session (session_key, session_id) VALUES (?, ?)", int64(1)<<40, occupied)
		projectiontest.Apply(t, db, log, catalogue.All()...)
		done, err := projections.RetryParked(ctx, db, log, catalogue.All(), projections.Options{})
		if err != nil || len(done) != 1 || done[0].Cause == "" {
			t.Fatalf("%+v, %v", done, err)
		}
		exec("DELETE FROM transcript_session WHERE session_key = ?", int64(1)<<40)
		done, err = projections.RetryParked(ctx, db, log, catalogue.All(), projections.Options{})
		if err != nil || len(done) != 1 || done[0].Cause != "" {
			t.Fatalf("%+v, %v", done, err)
		}
		projectiontest.Equal(t, clean(t, log), projectiontest.Dump(t, db, catalogue.All()...))
	})
}

// A long retry keeps its leases from the engines that stand by.
func TestARetryKeepsItsLeases(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		before, after := troubled(map[string]bool{"good": true}), troubled(map[string]bool{"good": true, "mended": true, "unmended": true})
		one, two := p.open(t), p.open(t)
		projectiontest.Apply(t, one, before, catalogue.All()...)
		stop := run(t, projectiontest.Engine(t, two, after, catalogue.All()...))
		defer stop()
		var group []projections.Projection
		for _, p := range catalogue.All() {
			slow := true
			group = append(group, projections.Faulty(p, func(string) error {
				if slow {
					<-time.After(4 * time.Second)
				}
				slow = false
				return nil
			}))
		}
		if _, err := projections.RetryParked(context.Background(), one, after, group, projections.Options{}); err != nil {
			t.Fatal(err)
		}
		projectiontest.Equal(t, clean(t, after), projectiontest.Dump(t, one, catalogue.All()...))
	})
}
