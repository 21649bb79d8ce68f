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

// logTimeout is how long the log may take to tell where it ends.
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
	lag, err := n.engine.Lag(ctx)
	parked, parkedErr := projections.Parked(ctx, n.db, maxParkedTold)
	details := map[string]any{"position": n.engine.Position(), "lag_" + n.unit: lag, "parked_streams": len(parked)}
	return details, errors.Join(err, parkedErr, n.engine.Trouble(), n.checkReach(ctx))
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
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "chatwatch", Name: name, Help: help}, value)
	}
	head := func() float64 { // not a number while it cannot be asked
		ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
		defer cancel()
		position, err := n.store.Head(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(position)
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		gauge("event_log_position", "Position of the last event of the log.", head),
		gauge("projection_position", "Position up to which the read models are stored.", func() float64 {
			return float64(n.engine.Position())
		}),
		gauge("projection_lag_"+n.unit, "How far the read models are behind the log, in "+n.unit+".", func() float64 {
			return max(0, head()-float64(n.engine.Position()))
		}),
	} {
		errs = append(errs, registry.Register(c))
	}
	return registry, errors.Join(errs...)
}
