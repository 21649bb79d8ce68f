package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var endCases = []testCase{
	{"calls whose context has ended do nothing", refusesEndedContext},
	{"appends whose context ends on the way are stored whole or not at all", cancelsAppends},
	{"a closed store refuses everything", refusesWhenClosed},
	{"closing waits for appends and ends everything else", closesUnderLoad},
}

func refusesEndedContext(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(3))
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	for what, err := range e.every(ctx, s) {
		if !errors.Is(err, context.Canceled) {
			e.Errorf("%s: %v", what, err)
		}
	}
	if got := e.readStream(s, 0, eventstore.Forwards, 0); len(got) != 3 {
		e.Fatalf("%d events, want 3", len(got))
	}
}

// calls are the methods that take a context.
func (e *env) calls(s string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"append": func(ctx context.Context) error {
			_, err := e.store.Append(ctx, s, eventstore.Any, news(1))
			return err
		},
		"head": func(ctx context.Context) error {
			_, err := e.store.Head(ctx)
			return err
		},
		"subscribe": func(ctx context.Context) error {
			sub, err := e.store.Subscribe(ctx, eventstore.Start, e.own())
			if err == nil {
				err = sub.Close()
			}
			return err
		},
		"read stream": func(ctx context.Context) error {
			return lastError(e.store.ReadStream(ctx, s, 0, eventstore.Forwards, 0))
		},
		"read all": func(ctx context.Context) error {
			return lastError(e.store.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, e.own()))
		},
	}
}

// every calls every method that takes a context, and gives their errors.
func (e *env) every(ctx context.Context, s string) map[string]error {
	errs := map[string]error{}
	for what, call := range e.calls(s) {
		errs[what] = call(ctx)
	}
	return errs
}

func cancelsAppends(e *env) {
	s := e.stream("a")
	acknowledged := map[uuid.UUID]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 40 {
				ctx, cancel := context.WithCancel(e.ctx)
				events := news(2)
				go cancel()
				_, err := e.store.Append(ctx, s, eventstore.Any, events)
				mu.Lock()
				acknowledged[events[0].ID] = err == nil
				mu.Unlock()
				if err != nil && !errors.Is(err, context.Canceled) {
					e.Errorf("append: %v", err)
				}
			}
		})
	}
	wg.Wait()
	e.must(s, eventstore.Any, news(2)) // behind whatever was still on its way
	got := e.readStream(s, 0, eventstore.Forwards, 0)
	stored := map[uuid.UUID]bool{}
	for i := 0; i < len(got); i += 2 {
		if stored[got[i].ID] {
			e.Fatal("an append was stored twice")
		}
		stored[got[i].ID] = true
		if i+1 >= len(got) || string(got[i].Data[:6]) != `{"n":0` || string(got[i+1].Data[:6]) != `{"n":1` {
			e.Fatalf("half an append stands at revision %d", i)
		}
	}
	for id, ok := range acknowledged {
		if ok && !stored[id] {
			e.Fatal("an acknowledged append is not there")
		}
	}
}

func refusesWhenClosed(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(1))
	sub := e.subscribe(eventstore.End, e.own())
	ended := make(chan error)
	go func() { ended <- drain(e.ctx, sub) }()
	for range 2 {
		if err := e.store.Close(); err != nil {
			e.Fatal(err)
		}
	}
	if err := <-ended; !errors.Is(err, eventstore.ErrClosed) {
		e.Errorf("next: %v", err)
	}
	for what, err := range e.every(e.ctx, s) {
		if !errors.Is(err, eventstore.ErrClosed) {
			e.Errorf("%s: %v", what, err)
		}
	}
	if err := sub.Close(); err != nil {
		e.Error(err)
	}
}

func closesUnderLoad(e *env) {
	s := e.stream("busy")
	e.must(s, eventstore.NoStream, news(200))
	started := make(chan struct{}, 64)
	var wg sync.WaitGroup
	work := func(what string, f func() error) {
		wg.Go(func() {
			for n := 0; ; n++ {
				err := f()
				if n == 3 {
					started <- struct{}{}
				}
				if err != nil {
					if !errors.Is(err, eventstore.ErrClosed) {
						e.Errorf("%s: %v", what, err)
					}
					if n < 3 {
						started <- struct{}{}
					}
					return
				}
			}
		})
	}
	for i := range 4 {
		name := e.stream(fmt.Sprint(i))
		work("append", func() error { _, err := e.store.Append(e.ctx, name, eventstore.Any, news(1)); return err })
		work("read stream", func() error { return lastError(e.store.ReadStream(e.ctx, s, 0, eventstore.Forwards, 0)) })
		work("read all", func() error {
			return lastError(e.store.ReadAll(e.ctx, eventstore.End, eventstore.Backwards, 300, e.own()))
		})
		work("head", func() error { _, err := e.store.Head(e.ctx); return err })
		work("follow", func() error {
			sub, err := e.store.Subscribe(e.ctx, eventstore.Start, e.own())
			if err != nil {
				return err
			}
			defer sub.Close()
			_, err = sub.Next(e.ctx)
			return err
		})
	}
	for range 20 {
		<-started
	}
	for range 3 {
		wg.Go(func() {
			if err := e.store.Close(); err != nil {
				e.Errorf("close: %v", err)
			}
		})
	}
	wg.Wait()
}

func lastError(events func(func(eventstore.Recorded, error) bool)) (last error) {
	for _, err := range events {
		last = err
	}
	return last
}
