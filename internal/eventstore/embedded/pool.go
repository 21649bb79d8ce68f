package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// pool lends readers, at most so many at a time; they are opened when first needed.
type pool struct {
	path   string
	idle   chan *reader // a nil is the right to open one
	closed <-chan struct{}
}

func newPool(path string, size int, closed <-chan struct{}) *pool {
	p := &pool{path: path, idle: make(chan *reader, size), closed: closed}
	for range size {
		p.idle <- nil
	}
	return p
}

// use calls f with a reader that nobody else uses. What the file answers with an error is ErrUnavailable.
func (p *pool) use(ctx context.Context, f func(*reader) error) error {
	if err := p.usable(ctx); err != nil {
		return err
	}
	var r *reader
	select {
	case r = <-p.idle:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closed:
		return eventstore.ErrClosed
	}
	err := p.opened(&r)
	if err == nil {
		err = f(r)
	}
	p.idle <- r
	if err != nil && !errors.Is(err, eventstore.ErrStreamNotFound) {
		return fmt.Errorf("%w: read %s: %w", eventstore.ErrUnavailable, p.path, err)
	}
	return err
}

func (p *pool) usable(ctx context.Context) error {
	select {
	case <-p.closed:
		return eventstore.ErrClosed
	default:
		return ctx.Err()
	}
}

func (p *pool) opened(r **reader) (err error) {
	if *r == nil {
		*r, err = newReader(p.path)
	}
	return err
}

// close waits for the readers that are lent and closes all; to be called once, after closed has been closed.
func (p *pool) close() error {
	var errs []error
	for range cap(p.idle) {
		if r := <-p.idle; r != nil {
			errs = append(errs, r.conn.Close())
		}
	}
	return errors.Join(errs...)
}
