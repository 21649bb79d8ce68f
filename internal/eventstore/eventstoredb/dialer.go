package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/cenkalti/backoff/v5"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// The oldest server that tells a subscription when it has caught up, and gives the position with every event.
const (
	oldestMajor = 23
	oldestMinor = 10
)

// dialer holds the link that is in use, and makes a new one whenever it is lost.
type dialer struct {
	settings Settings
	opts     options
	closing  context.Context // ended when no further call may begin
	life     context.Context // of the store

	mu      sync.Mutex
	current *link         // nil while there is none
	since   time.Time     // when the one before was lost
	trouble error         // of the last attempt to make one
	changed chan struct{} // closed when any of this changes
}

func newDialer(settings Settings, opts options, closing, life context.Context) *dialer {
	// A client looks for a server once: looking again is the dialer's.
	settings.config.MaxDiscoverAttempts, settings.config.DiscoveryInterval = 1, 0
	d := &dialer{settings: settings, opts: opts, closing: closing, life: life, since: time.Now(), changed: make(chan struct{})}
	go d.dial()
	return d
}

// visit enters the link for one call, waiting for one until ctx ends or there has been none for so long.
func (d *dialer) visit(ctx, call context.Context, patience time.Duration) (*visit, error) {
	for {
		v, left, changed, trouble := d.enter(call, patience)
		if v != nil {
			return v, nil
		}
		if left <= 0 {
			return nil, trouble
		}
		timer := time.NewTimer(left)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		case <-d.closing.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if d.closing.Err() != nil {
			return nil, eventstore.ErrClosed
		}
	}
}

// enter enters the link if there is one, and otherwise tells how long a patient caller waits for which change.
func (d *dialer) enter(call context.Context, patience time.Duration) (v *visit, left time.Duration, changed <-chan struct{}, trouble error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		if v, ok := d.current.enter(call); ok {
			return v, 0, nil, nil
		}
		return nil, patience, d.changed, d.unreachable() // retired: lost is about to be called
	}
	return nil, time.Until(d.since.Add(patience)), d.changed, d.unreachable()
}

// outcome waits until there is a link, or the attempt under way to make one has failed.
func (d *dialer) outcome(ctx context.Context) error {
	d.mu.Lock()
	current, changed := d.current, d.changed
	d.mu.Unlock()
	if current != nil {
		return nil
	}
	select {
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	case <-d.closing.Done():
		return eventstore.ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil {
		return nil
	}
	return d.unreachable()
}

// await waits until there is a link.
func (d *dialer) await(ctx context.Context) error {
	for {
		err := d.outcome(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, eventstore.ErrClosed) {
			return err
		}
	}
}

// unreachable tells that there is no link, and why.
func (d *dialer) unreachable() error {
	if d.trouble == nil {
		return fmt.Errorf("%w: %s is being connected to", eventstore.ErrUnavailable, d.settings)
	}
	return fmt.Errorf("%w: %s: %w", eventstore.ErrUnavailable, d.settings, d.trouble)
}

// lost is called by a link that was retired.
func (d *dialer) lost(l *link, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != l {
		return
	}
	d.current, d.since, d.trouble = nil, time.Now(), told(cause)
	d.tell()
	if d.life.Err() == nil {
		d.opts.logger.Warn("event store lost, connecting again", "servers", d.settings.String(), "error", d.trouble)
		go d.dial()
	}
}

func (d *dialer) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// dial makes a link, with growing pauses, until there is one or the store is closed.
func (d *dialer) dial() {
	pauses := d.opts.pauses()
	for d.life.Err() == nil {
		l, err := d.connect()
		d.mu.Lock()
		if err == nil {
			if d.trouble != nil {
				d.opts.logger.Info("event store connected", "servers", d.settings.String(), "after", time.Since(d.since).Round(time.Millisecond))
			}
			d.current, d.trouble = l, nil
		} else {
			d.trouble = told(err)
		}
		d.tell()
		d.mu.Unlock()
		if err == nil {
			if d.life.Err() != nil { // closed meanwhile
				l.retire(eventstore.ErrClosed)
			}
			return
		}
		pause(d.life, pauses.NextBackOff())
	}
}

// connect makes a client and lets it find its server. Nobody else has the client yet, so nobody can be left hanging by it.
func (d *dialer) connect() (*link, error) {
	l, err := newLink(d.settings.config, d.opts.logger, d.lost)
	if err != nil {
		return nil, err
	}
	type found struct {
		version *esdb.ServerVersion
		err     error
	}
	server := make(chan found, 1)
	go func() {
		version, err := l.client.GetServerVersion()
		server <- found{version, err}
	}()
	select {
	case f := <-server:
		if err := errors.Join(f.err, supported(f.version)); err != nil {
			_ = l.client.Close()
			return nil, err
		}
		return l, nil
	case <-d.life.Done():
		go func() { // it finds a server or gives up by itself, within the bound of its settings
			<-server
			_ = l.client.Close()
		}()
		return nil, d.life.Err()
	}
}

func supported(v *esdb.ServerVersion) error {
	if v == nil || v.Major > oldestMajor || v.Major == oldestMajor && v.Minor >= oldestMinor {
		return nil
	}
	return fmt.Errorf("%w: it has version %d.%d.%d, and %d.%d is the first", ErrUnsupported, v.Major, v.Minor, v.Patch, oldestMajor, oldestMinor)
}

// close retires the link, after life has ended.
func (d *dialer) close() {
	d.mu.Lock()
	l := d.current
	d.mu.Unlock()
	if l != nil {
		l.retire(eventstore.ErrClosed)
	}
}

// pauses grow from the first to the longest, and vary by chance.
func (o options) pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = o.pause, o.maxPause
	b.Reset()
	return b
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
