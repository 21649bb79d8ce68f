package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/projections"
)

// maxParkedTold bounds how many parked streams are counted for /readyz.
const maxParkedTold = 1000

// components are what /readyz asks. The node serves as long as the log can be read and the read models are being written;
// a stream that could not be folded is told, and stops nothing.
func (n *node) components() []api.Component {
	return []api.Component{
		{Name: "event_log", Check: n.checkLog},
		{Name: "read_models", Check: n.checkReadModels},
	}
}

// logTimeout is how long the log and the read database may take to answer.
const logTimeout = time.Second

func (n *node) checkLog(ctx context.Context) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	head, err := n.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"position": head}, nil
}

func (n *node) checkReadModels(ctx context.Context) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	status, err := n.engine.Status(ctx)
	parked, parkedErr := projections.Parked(ctx, n.db, maxParkedTold)
	var worst projections.Lag
	told := []map[string]any{}
	for _, s := range status {
		worst.Events, worst.MS = max(worst.Events, s.Lag.Events), max(worst.MS, s.Lag.MS)
		told = append(told, map[string]any{
			"name": s.Name, "position": s.Position, "lag_events": s.Lag.Events, "lag_ms": s.Lag.MS, "version": s.Version,
			"leader": s.Holder, "parked_streams": parkedOf(parked, s.Name),
		})
		if s.Idle && err == nil {
			err = fmt.Errorf("no process runs projection %s", s.Name)
		}
	}
	details := map[string]any{
		"position": n.engine.Position(), "leading": n.engine.Leading(), "lag_events": worst.Events, "lag_ms": worst.MS,
		"parked_streams": len(parked), "projections": told,
	}
	return details, errors.Join(err, parkedErr, n.engine.Trouble(), n.checkReach(ctx))
}

func parkedOf(parked []projections.ParkedStream, projection string) int {
	count := 0
	for _, p := range parked {
		if p.Projection == projection {
			count++
		}
	}
	return count
}

// checkReach tells of a log that came back shorter while the program ran. Whether it is whole is asked only of one that seems
// to end before the read models: asking takes a subscription, and on a server with events of its own it does seem so.
func (n *node) checkReach(ctx context.Context) error {
	head, err := n.store.Head(ctx)
	if err != nil || n.engine.Position() <= head {
		return err
	}
	whole, err := eventstore.Reaches(ctx, n.store, n.engine.Position())
	if err == nil && !whole {
		err = fmt.Errorf("the log ends before position %d of the read models", n.engine.Position())
	}
	return err
}

// numbers are the product's gauges beside those of the HTTP side.
func (n *node) numbers() (*prometheus.Registry, error) {
	registry := prometheus.NewRegistry()
	return registry, registry.Register(gauges{n})
}

// gauges asks when it is asked itself. What cannot be asked is not a number.
type gauges struct{ node *node }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("chatwatch_"+name, help, labels, nil)
}

var (
	logPosition        = describe("event_log_position", "Position of the last event of the log.")
	projectionPosition = describe("projection_position", "Position of the log up to which the read model is stored.", "projection")
	projectionLag      = describe("projection_lag_events", "Events of the log that the read model does not have yet.", "projection")
	projectionLagMS    = describe("projection_lag_ms", "For how long the oldest of them has been recorded, in milliseconds.", "projection")
	projectionEvents   = describe("projection_events", "Events that the read model has been folded from.", "projection")
	projectionParked   = describe("projection_parked_streams", "Streams of which the read model leaves out events.", "projection")
	projectionLeading  = describe("projection_leading", "1 when this process runs the projections, 0 when it stands by.")
	databaseUp         = describe("read_database_up", "1 when the read database answers.")
)

// Describe implements prometheus.Collector.
func (g gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		logPosition, projectionPosition, projectionLag, projectionLagMS, projectionEvents, projectionParked, projectionLeading, databaseUp,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	tell := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	head, err := g.node.store.Head(ctx)
	tell(logPosition, orNaN(float64(head), err))
	parked, err := projections.Parked(ctx, g.node.db, maxParkedTold)
	tell(databaseUp, truth(err == nil))
	tell(projectionLeading, truth(g.node.engine.Leading()))
	status, lagErr := g.node.engine.Status(ctx)
	for _, s := range status {
		tell(projectionPosition, float64(s.Position), s.Name)
		tell(projectionLag, orNaN(float64(s.Lag.Events), lagErr), s.Name)
		tell(projectionLagMS, orNaN(float64(s.Lag.MS), lagErr), s.Name)
		tell(projectionEvents, float64(s.Events), s.Name)
		tell(projectionParked, orNaN(float64(parkedOf(parked, s.Name)), err), s.Name)
	}
}

func orNaN(value float64, err error) float64 {
	if err != nil {
		return math.NaN()
	}
	return value
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
