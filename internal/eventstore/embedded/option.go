package embedded

import (
	"log/slog"
	"time"
)

// Option changes a default of Open.
type Option func(*options)

type options struct {
	tailEvents    int
	tailBytes     int
	groupRequests int
	groupBytes    int
	readers       int
	clock         func() time.Time
	logger        *slog.Logger
	commit        func(commit func() error) error // around each COMMIT; for tests
}

func defaults() options {
	return options{
		tailEvents:    64 << 10,
		tailBytes:     64 << 20,
		groupRequests: 1024,
		groupBytes:    8 << 20,
		readers:       8,
		clock:         time.Now,
		logger:        slog.New(slog.DiscardHandler),
		commit:        func(commit func() error) error { return commit() },
	}
}

// WithTail bounds the events that are kept in memory for followers near the end of the log. A follower further behind
// reads the file.
func WithTail(events, bytes int) Option {
	return func(o *options) { o.tailEvents, o.tailBytes = max(events, 1), max(bytes, 1) }
}

// WithGroup bounds what one commit takes: requests, and bytes of events.
func WithGroup(requests, bytes int) Option {
	return func(o *options) { o.groupRequests, o.groupBytes = max(requests, 1), max(bytes, 1) }
}

// WithReaders bounds the connections that read at the same time.
func WithReaders(n int) Option {
	return func(o *options) { o.readers = max(n, 1) }
}

// WithClock sets the source of Recorded.RecordedAt, which never goes back and is kept in microseconds.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.clock = now }
}

// WithLogger sets where trouble with the file is reported; never anything of an event.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) { o.logger = l }
}
