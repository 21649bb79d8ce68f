package sessions_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
)

// watch is a monitoring that somebody knows of, by its number.
type watch struct {
	number     string
	start, end time.Time // zero: it lasts
}

func (w watch) during(from, to time.Time) bool {
	return w.start.Before(to) && (w.end.IsZero() || w.end.After(from))
}

// Monitorings of all lengths, from microseconds to decades, are found at every instant, and in every stretch of time.
func TestThePastFindsSpansOfEveryLength(t *testing.T) {
	open := projectiontest.Copies(t)
	rapid.Check(t, func(rt *rapid.T) {
		db, log := open(), &projectiontest.Log{}
		defer db.Close()
		var known []watch
		instants := []time.Time{t0}
		for n := range rapid.IntRange(1, 25).Draw(rt, "monitorings") {
			// So many powers of two of microseconds, or a bound of a class, and one more or less.
			lasted := time.Duration(1<<rapid.IntRange(0, 49).Draw(rt, "power")) * time.Microsecond
			if rapid.Bool().Draw(rt, "bound") {
				lasted = time.Minute << (2 * rapid.IntRange(0, 10).Draw(rt, "class"))
			}
			lasted += time.Duration(rapid.IntRange(-1, 1).Draw(rt, "beside")) * time.Microsecond
			w := watch{number: fmt.Sprintf("%d", n), start: instants[rapid.IntRange(0, len(instants)-1).Draw(rt, "start")]}
			stream := "session-" + w.number
			projectiontest.Append[session.Event](log, stream, w.start,
				session.SessionRequested{Queue: sales, RequestedAt: w.start}, session.SupervisorStartedMonitoring{Supervisor: sue, Reason: w.number})
			if rapid.IntRange(0, 5).Draw(rt, "lasts") > 0 {
				w.end = w.start.Add(lasted)
				projectiontest.Append[session.Event](log, stream, w.end, session.SupervisorStoppedMonitoring{Supervisor: sue})
			}
			known = append(known, w)
			instants = append(instants, w.start, w.start.Add(lasted), w.start.Add(lasted-time.Microsecond))
		}
		projectiontest.Apply(t, db, log, sessions.New())
		reader := sessions.NewReader(db)
		for range 5 {
			from := instants[rapid.IntRange(0, len(instants)-1).Draw(rt, "from")]
			to := from.Add(time.Duration(1<<rapid.IntRange(0, 43).Draw(rt, "window")) * time.Microsecond)
			watched, err := reader.WatchedAt(context.Background(), from)
			if diff := cmp.Diff(numbers(known, from, from.Add(time.Microsecond)), reasons(watched)); err != nil || diff != "" {
				rt.Fatalf("at %v: %s %v", from, diff, err)
			}
			between, err := reader.Supervision(context.Background(), sessions.SupervisionFilter{From: from, To: to}, 0, 1000)
			slices.Reverse(between)
			if diff := cmp.Diff(numbers(known, from, to), reasons(between)); err != nil || diff != "" {
				rt.Fatalf("from %v to %v: %s %v", from, to, diff, err)
			}
		}
	})
}

func numbers(known []watch, from, to time.Time) (found []string) {
	for _, w := range known {
		if w.during(from, to) {
			found = append(found, w.number)
		}
	}
	return found
}

func reasons(watched []sessions.Monitoring) (found []string) {
	for _, m := range watched {
		found = append(found, m.Reason)
	}
	return found
}
