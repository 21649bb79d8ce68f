package eventstoredb

import (
	"log/slog"
	"time"
)

// Option changes a default of Open.
type Option func(*options)

type options struct {
	logger   *slog.Logger
	wait     time.Duration
	patience time.Duration
	timeout  time.Duration
	idle     time.Duration
	pause    time.Duration // the first between attempts to connect or to subscribe again
	maxPause time.Duration
}

func defaults() options {
	return options{
		logger:   slog.New(slog.DiscardHandler),
		patience: 5 * time.Second,
		timeout:  5 * time.Second,
		idle:     30 * time.Second,
		pause:    50 * time.Millisecond,
		maxPause: 5 * time.Second,
	}
}

// WithLogger sets where lost connections and their return are reported; never anything of an event, or a password.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithWait sets how long Open tries to reach a server before it fails; it tries once when this is 0.
func WithWait(d time.Duration) Option { return func(o *options) { o.wait = d } }

// WithPatience sets for how long after the connection was lost calls wait for it to return before they fail with
// eventstore.ErrUnavailable; 5 seconds otherwise.
func WithPatience(d time.Duration) Option { return func(o *options) { o.patience = d } }

// WithTimeout sets how long the server may be silent in a call before its connection is taken to be lost; 5 seconds
// otherwise.
func WithTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// WithIdleCheck sets after how long without any news a subscription asks whether the log has moved on without it; 30
// seconds otherwise.
func WithIdleCheck(d time.Duration) Option { return func(o *options) { o.idle = d } }

// WithPauses sets the first and the longest pause between attempts to connect or to subscribe again; 50 ms and 5 s otherwise.
func WithPauses(first, longest time.Duration) Option {
	return func(o *options) { o.pause, o.maxPause = first, longest }
}
