package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/api"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/live"
	"github.com/chatwatch/chatwatch/internal/process"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/snapshot"
	"github.com/chatwatch/chatwatch/projections"
	accesses "github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	queuesnapshot "github.com/chatwatch/chatwatch/projections/snapshot"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// node is one serving process: everything that is constructed, in one place.
type node struct {
	log       *slog.Logger
	note      func(ctx context.Context) error // of the log's first event
	lock      *flock.Flock
	store     eventstore.Store
	db        readstore.DB
	tokens    *auth.Tokens
	service   *command.Service
	engine    *projections.Engine
	alone     *projections.Lease // to run the process managers; nil where no other process could
	hub       *live.Hub
	processes *process.Runner
	managers  []process.Process
	api       *api.Server
}

// breather is how long at the most the read models gather what comes quickly: their writes compete with those of the log
// for the disk, and a commit costs about as much for one event of a session as for ten.
const breather = 50 * time.Millisecond

// projecting are the options of every engine of this process.
func (e *environment) projecting() projections.Options {
	return projections.Options{Logger: e.log, Clock: clock, Breather: breather}
}

func (e *environment) project(store eventstore.Store) projections.Log {
	return projections.FromStore(store, projections.DefaultMaxBatch, e.log)
}

// open constructs a node on the data directory. What was opened is closed again when a part fails.
func open(ctx context.Context, e *environment, s serving) (*node, error) {
	n := &node{log: e.log}
	if err := n.construct(ctx, e, s); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) construct(ctx context.Context, e *environment, s serving) error {
	secret, err := e.secret()
	if err != nil {
		return err
	}
	n.note = func(ctx context.Context) error { return e.noteOrigin(ctx, n.store, n.db) }
	if n.lock, err = e.claim(); err != nil {
		return err
	}
	if n.store, n.db, err = e.openStores(ctx, e.openLog); err != nil {
		return err
	}
	if err := e.adoptLog(ctx, n.store, n.db); err != nil {
		return err
	}
	files, err := snapshot.Open(e.snapshots())
	if err != nil {
		return err
	}
	if n.service, err = command.New(command.Config{Store: n.store, Log: e.log, Snapshots: files, Shared: s.shared(e)}); err != nil {
		return err
	}
	if err := n.constructEngine(e); err != nil {
		return err
	}
	if n.hub, err = live.Open(ctx, n.store, e.log); err != nil {
		return err
	}
	n.processes = &process.Runner{Store: n.store, Snapshots: files, Log: e.log, Now: clock}
	if e.Database != "" {
		n.processes.Snapshots = snapshot.NewTable(n.db, clock)
		n.alone = projections.NewLease(n.db, "process_managers", e.projecting())
	}
	n.managers = []process.Process{
		process.NewRouting(n.service, e.log, clock), process.NewSlots(n.service, e.log, clock, s.aloneSince(e)),
	}
	if n.tokens, err = auth.NewTokens(secret, clock); err != nil {
		return err
	}
	seals, err := auth.NewSeals(secret)
	if err != nil {
		return err
	}
	numbers, err := n.numbers()
	if err != nil {
		return err
	}
	n.api, err = api.New(api.Config{
		Service: n.service, Store: n.store, Tokens: n.tokens, Seals: seals, Hub: n.hub, Clock: clock, Log: e.log,
		Progress: n.engine, Transcripts: transcript.NewReader(n.db), Directory: directory.NewReader(n.db),
		Staffing: staffing.NewReader(n.db), Sessions: sessions.NewReader(n.db), Snapshots: queuesnapshot.NewReader(n.db),
		Accesses: accesses.NewReader(n.db),
		Metrics:  numbers, Components: n.components(),
		Version: version(), Limits: api.Limits{SessionsPerSecond: s.SessionRate, SessionsBurst: s.SessionBurst},
	})
	return err
}

// shared tells whether others append to the log too.
func (s serving) shared(e *environment) bool { return e.EventStore != "" || s.LogWrites }

// aloneSince is when this process began to be the only one that appends to its log, zero when there are others.
func (s serving) aloneSince(e *environment) time.Time {
	if s.shared(e) {
		return time.Time{}
	}
	return clock()
}

// constructEngine makes the engine of all projections. Rows that another version of the code has built are built anew beside
// those that serve.
func (n *node) constructEngine(e *environment) (err error) {
	options := e.projecting()
	options.Alone = e.Database == "" // the data directory is this process's
	options.Stale = func(ctx context.Context) { n.renewReadModels(ctx, e) }
	n.engine, err = projections.NewEngine(n.db, e.project(n.store), catalogue.All(), options)
	return err
}

// run runs what serves the callers: read models, live streams, process managers. It ends with the context, or when one of
// them cannot go on.
func (n *node) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.engine.Run(ctx) })
	group.Go(func() error { return n.hub.Run(ctx) })
	group.Go(func() error { return n.runProcesses(ctx) })
	group.Go(func() error {
		err := n.note(ctx)
		if errors.Is(err, errOtherLog) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			n.log.WarnContext(ctx, "which log the data directory is of was not noted", "error", err)
		}
		return nil
	})
	return group.Wait()
}

// staleRetry is how long a rebuild waits that failed, or that another node is doing.
const staleRetry = 10 * time.Second

// renewReadModels builds the read models anew that are of another version of the code, beside those that serve meanwhile.
func (n *node) renewReadModels(ctx context.Context, e *environment) {
	for {
		n.log.InfoContext(ctx, "read models of another version of the program are being built anew; the old ones serve meanwhile")
		err := projections.RebuildStale(ctx, n.db, e.project(n.store), catalogue.All(), projections.Rebuilding{Options: e.projecting()})
		if err == nil {
			n.log.InfoContext(ctx, "read models have been built anew and swapped in")
			return
		}
		if ctx.Err() == nil {
			n.log.WarnContext(ctx, "read models were not built anew, trying again", "pause", staleRetry, "error", err)
		}
		select {
		case <-time.After(staleRetry):
		case <-ctx.Done():
			return
		}
	}
}

// runProcesses runs the process managers: where others could run them too, while this process has the lease.
func (n *node) runProcesses(ctx context.Context) error {
	run := func(ctx context.Context) error { return n.processes.Run(ctx, n.managers...) }
	if n.alone == nil {
		return run(ctx)
	}
	return n.alone.Run(ctx, run)
}

// close frees what is open, in the order in which it is not needed any more.
func (n *node) close() {
	var errs []error
	if n.db != nil {
		errs = append(errs, n.db.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		n.log.Error("the data directory was not closed in order", "error", err)
	}
}

// version of the program, as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
