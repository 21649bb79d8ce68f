package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"
)

// serveCommand serves the API until it is told to stop.
type serveCommand struct {
	serving
}

func (c *serveCommand) Run(ctx context.Context, e *environment) error {
	return serve(ctx, e, c.serving, nil)
}

// Bounds of a connection. A request has to be there within readTimeout; live streams lift it for themselves.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 10 * time.Second
)

// gcPercent lets the heap grow to four times of what is live before it is collected. What is live is bounded and small
// beside a machine's memory, and collecting less often leaves more of the processors to requests. GOGC overrides it.
const gcPercent = 300

func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// serve runs a node and its listener, and beside them, once they serve, what else there is to run.
func serve(ctx context.Context, e *environment, s serving, beside func(ctx context.Context, n *node, address string) error) error {
	if err := s.check(e); err != nil {
		return err
	}
	collectLess()
	n, err := open(ctx, e, s)
	if err != nil {
		return err
	}
	defer n.close()
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Listen, err)
	}
	door, err := n.openDoor(s)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	server := &http.Server{
		Handler: n.api, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return requests },
	}

	group, ctx := errgroup.WithContext(ctx)
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	group.Go(func() error { return ended(n.run(background)) })
	group.Go(func() error { return ended(server.Serve(listener)) })
	if door != nil {
		group.Go(func() error { return door.run(background) })
		fmt.Fprintf(e.stdout, "EventStoreDB's clients can read the log at %s\n", door.address())
	}
	departed := make(chan struct{}) // what runs beside has said goodbye
	group.Go(func() error {
		// First the callers, then what serves them: an answer that is under way still finds its parts.
		<-ctx.Done()
		<-departed
		n.api.Close()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		err := server.Shutdown(patience)
		endRequests() // of those for whom it was not enough
		stopBackground()
		return err
	})
	if s.PprofListen != "" {
		group.Go(func() error { return profiles(ctx, s.PprofListen) })
	}
	fmt.Fprintf(e.stdout, "chatwatch is listening on http://%s\n", listener.Addr())
	group.Go(func() error {
		defer close(departed)
		if beside == nil {
			return nil
		}
		return ended(beside(ctx, n, listener.Addr().String()))
	})
	return group.Wait()
}

// profiles serves Go's profiles on an address of their own, which is never the one of the API.
func profiles(ctx context.Context, address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: readHeaderTimeout}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	return ended(server.ListenAndServe())
}

// ended drops the error of what was told to end.
func ended(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
