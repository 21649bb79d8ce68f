package eventstoredb

import (
	"context"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// write carries out an append, on a connection and in another goroutine. It returns with ctx.Err() when ctx ends first, and
// with errSilent when the server takes too long; the call is cancelled then.
func (s *Store) write(ctx context.Context, f func(context.Context, *esdb.Client) (*esdb.WriteResult, error)) (*esdb.WriteResult, error) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	v, err := s.dialer.visit(ctx, call, s.opts.patience)
	if err != nil {
		return nil, err
	}
	type answer struct {
		result *esdb.WriteResult
		err    error
	}
	answered := make(chan answer, 1)
	run := func() {
		defer v.leave()
		var a answer
		defer func() { answered <- a }()
		defer recovered(&a.err)
		a.result, a.err = f(v, v.link.client)
	}
	if !s.start(run) {
		v.leave()
		return nil, eventstore.ErrClosed
	}
	timer := time.NewTimer(s.opts.timeout)
	defer timer.Stop()
	select {
	case a := <-answered:
		if a.err == nil {
			return a.result, nil
		}
		err = a.err
	case <-ctx.Done():
	case <-timer.C:
		err = errSilent
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if connectionFailed(err) {
		v.link.retire(err)
	}
	return nil, err
}

// recovered makes an error of a panic of the client, which meets some answers with one. Its value is not shown: it could
// hold what was answered.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: the client failed: %T", eventstore.ErrUnavailable, p)
	}
}
