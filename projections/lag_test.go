package projections_test

import (
	"context"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

func TestTheLagIsToldByAllProcesses(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		log := history(13, 150)
		head, _ := log.Head(context.Background())
		gate := make(chan struct{})
		var group []projections.Projection
		for _, p := range catalogue.All() {
			group = append(group, projections.Faulty(p, func(string) error { <-gate; return nil }))
		}
		one, two := p.open(t), p.open(t)
		leader := projectiontest.Engine(t, one, log, group...)
		stop := run(t, leader)
		leads(t, leader, 5*time.Second)
		standby := projectiontest.Engine(t, two, log, catalogue.All()...)
		stopStandby := run(t, standby)
		for name, e := range map[string]*projections.Engine{"leads": leader, "stands by": standby} {
			eventually(t, 5*time.Second, "who "+name+" tells no lag", func() bool {
				lag := lagOf(t, e)
				return lag.Events == int64(head) && lag.MS > 0
			})
		}
		close(gate)
		waitFor(t, standby, log)
		for name, e := range map[string]*projections.Engine{"leads": leader, "stands by": standby} {
			eventually(t, 5*time.Second, "who "+name+" tells of a lag", func() bool { return lagOf(t, e) == projections.Lag{} })
		}
		_, _ = stopStandby(), stop()
	})
}

// lagOf an engine: the greatest of its projections.
func lagOf(t *testing.T, e *projections.Engine) (greatest projections.Lag) {
	t.Helper()
	status, err := e.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status {
		greatest.Events, greatest.MS = max(greatest.Events, s.Lag.Events), max(greatest.MS, s.Lag.MS)
	}
	return greatest
}
