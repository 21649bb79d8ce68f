package eventstoredb

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// link is a client that is used for one connection. When a call of it fails as unavailable, the client is about to look for a
// server anew inside: it forgets the connection that it has without closing it, and when it finds no server it ends
// itself and leaves whoever asks it meanwhile hanging. Neither happens here: before the client begins, the link is retired,
// which keeps further calls out, and those on their way in are waited for. So nobody asks for the new connection, and the
// client is closed when the last call has left.
//
// Two places of client v4.2.0 tell the link when: it logs "unexpected exception" before it begins, and it asks the context
// of a call for its deadline as soon as the call has its connection (see visit).
type link struct {
	client *esdb.Client
	log    *slog.Logger
	lost   func(l *link, cause error) // called once, when the link is retired

	mu      sync.Mutex
	quiet   sync.Cond // nobody is entering
	calls   int       // visits under way
	enters  int       // of which are on their way in
	retired bool
	overdue *time.Timer // ends what goes on for too long after that
}

func newLink(config esdb.Configuration, log *slog.Logger, lost func(*link, error)) (*link, error) {
	l := &link{log: log, lost: lost}
	l.quiet.L = &l.mu
	config.Logger = l.trace
	var err error
	l.client, err = esdb.NewClient(&config)
	return l, err
}

// visit is the stay of one call at a link, and the context that the client gets for it.
type visit struct {
	context.Context
	link    *link
	entered atomic.Bool
}

// enter begins a call; it is refused when the link is retired.
func (l *link) enter(ctx context.Context) (*visit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired {
		return nil, false
	}
	l.calls++
	l.enters++
	return &visit{Context: ctx, link: l}, true
}

// Deadline is asked by the client right after it has taken the connection, and before it uses it.
func (v *visit) Deadline() (time.Time, bool) {
	v.in()
	return v.Context.Deadline()
}

func (v *visit) in() {
	if !v.entered.CompareAndSwap(false, true) {
		return
	}
	l := v.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.enters--; l.enters == 0 {
		l.quiet.Broadcast()
	}
}

// leave ends the call. The last one to leave a retired link closes its client.
func (v *visit) leave() {
	v.in()
	l := v.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls--
	l.closeWhenEmpty()
}

// closeWhenEmpty is called under the lock: the calls that were here have then all ended before the client is closed.
func (l *link) closeWhenEmpty() {
	if !l.retired || l.calls > 0 {
		return
	}
	if l.overdue != nil {
		l.overdue.Stop()
	}
	_ = l.client.Close()
}

// linger is how long the calls of a retired link may go on.
const linger = 30 * time.Second

// retire lets no further call in. Those that are there may end, but not without bound: where the server that was named as
// the leader cannot be reached either, the client does leave its callers hanging. Closing it wakes them, with a panic that
// every call here is prepared for.
func (l *link) retire(cause error) {
	l.mu.Lock()
	first := !l.retired
	if l.retired = true; first {
		l.closeWhenEmpty()
		if l.calls > 0 {
			l.overdue = time.AfterFunc(linger, func() { _ = l.client.Close() })
		}
	}
	l.mu.Unlock()
	if first {
		l.lost(l, cause)
	}
}

// trace is where the client logs, which is also how it tells that it is about to give up its connection.
func (l *link) trace(level esdb.LogLevel, format string, args ...any) {
	if err := unavailable(format, args); err != nil {
		l.retire(err)
		l.mu.Lock()
		for l.enters > 0 {
			l.quiet.Wait()
		}
		l.mu.Unlock()
	}
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("event store client", "level", level, "message", fmt.Sprintf(format, args...))
	}
}

// unavailable is the error for which the client is about to look for a server anew, nil when it is not.
func unavailable(format string, args []any) error {
	if format != "unexpected exception: %v" || len(args) != 1 {
		return nil
	}
	if err, ok := args[0].(error); ok && status.Code(err) == codes.Unavailable {
		return err
	}
	return nil
}
