package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/live"
)

// numbers are what operators watch.
type numbers struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newNumbers(registry *prometheus.Registry, hub *live.Hub) (*numbers, error) {
	n := &numbers{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chatwatch_http_requests_total", Help: "Requests by operation and status.",
		}, []string{"operation", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chatwatch_http_request_seconds", Help: "Time to answer by operation; of a live stream, how long it was open.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"operation"}),
	}
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "chatwatch_live_streams", Help: "Live streams of sessions that are open.",
	}, func() float64 { return float64(hub.Followers()) })
	var errs []error
	for _, c := range []prometheus.Collector{n.requests, n.took, streams, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		err := registry.Register(c)
		if _, twice := errors.AsType[prometheus.AlreadyRegisteredError](err); twice {
			continue // the owner of the registry has the program's own numbers in it
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("api: register metrics: %w", err)
	}
	return n, nil
}

func (n *numbers) request(op *operation, status int, took time.Duration) {
	n.requests.WithLabelValues(op.id, strconv.Itoa(status)).Inc()
	n.took.WithLabelValues(op.id).Observe(took.Seconds())
}

// operates tells whether the caller may see numbers of the whole: rule 4 includes whatever can be measured. Those are
// administrators and auditors, and who sits at the machine itself.
func (c *call) operates() bool {
	if !c.anonymous {
		return c.is(domain.RoleAdmin, domain.RoleAuditor)
	}
	h := c.http.Header
	if len(h["Forwarded"]) > 0 || len(h["X-Forwarded-For"]) > 0 || len(h["X-Real-Ip"]) > 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(c.http.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

func getMetrics(c *call) (*reply, error) {
	if !c.operates() {
		if c.anonymous {
			return nil, rejected(domain.NotAuthenticated, "a bearer token is needed")
		}
		return nil, errNotPermitted
	}
	promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(c.out, c.http)
	return nil, nil
}

func getHealth(*call) (*reply, error) {
	return &reply{media: "text/plain; charset=utf-8", raw: []byte("ok\n")}, nil
}

// readiness of the server, part by part.
type readiness struct {
	Status     string               `json:"status" enum:"ready,not_ready"`
	Components []componentReadiness `json:"components"`
}

type componentReadiness struct {
	Name    string         `json:"name"`
	Status  string         `json:"status" enum:"ready,not_ready"`
	Details map[string]any `json:"details,omitempty" doc:"For operators"`
}

const (
	ready    = "ready"
	notReady = "not_ready"
)

func getReadiness(c *call) (*reply, error) {
	out := readiness{Status: ready, Components: []componentReadiness{}}
	select {
	case <-c.stopping:
		out.Status = notReady
	default:
	}
	for _, part := range c.Components {
		details, err := part.Check(c.ctx())
		shown := componentReadiness{Name: part.Name, Status: ready}
		if err != nil {
			out.Status, shown.Status = notReady, notReady
		}
		if c.operates() {
			shown.Details = details
		}
		out.Components = append(out.Components, shown)
	}
	r := ok(out)
	if out.Status != ready {
		r.status = http.StatusServiceUnavailable
	}
	return r, nil
}
