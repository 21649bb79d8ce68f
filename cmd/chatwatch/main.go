// Command chatwatch is the backend of a supervised customer-service chat: the server, and the tools around its log. It does
// the wiring and nothing else: rules are in domain, the interface in api.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every flag can be given as CHATWATCH_<NAME> too.
type cli struct {
	DataDir  string `help:"Folder of the key, the event log and the read models." default:"data" type:"path" placeholder:"DIR"`
	KeyFile  string `help:"File of the secret that signs tokens and seals cursors; secret.key in the data directory otherwise. Nodes that serve one site share it." type:"path" placeholder:"FILE"`
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
	LogJSON  bool   `help:"Log as JSON." name:"log-json"`

	EventStore     string        `help:"Event store beyond this machine: esdb://USER:PASSWORD@HOST:PORT?tls=true or esdb+discover://…; the embedded one in the data directory otherwise." name:"eventstore" placeholder:"ADDRESS"`
	EventStoreWait time.Duration `help:"How long to try to reach it at start; 0 to try once." name:"eventstore-wait" default:"1m"`

	Database     string        `help:"PostgreSQL for the read models: postgres://USER:PASSWORD@HOST:5432/DATABASE, with ?search_path=SCHEMA for one of its schemas; a file in the data directory otherwise." name:"database" placeholder:"ADDRESS"`
	DatabaseWait time.Duration `help:"How long to try to reach it at start; 0 to try once." name:"database-wait" default:"1m"`

	Serve    serveCommand    `cmd:"" help:"Serve the API."`
	Demo     demoCommand     `cmd:"" help:"Serve on embedded stores with a sample site and lively traffic."`
	Simulate simulateCommand `cmd:"" help:"Play conversations against a running server, as customers, agents and supervisors."`
	Replay   replayCommand   `cmd:"" help:"Tell a session's history from the log."`
	Verify   verifyCommand   `cmd:"" help:"Read the whole log and check that it holds together."`
	Rebuild  rebuildCommand  `cmd:"" help:"Fold the log into fresh read models beside the live ones, and swap them in."`
	Retry    retryCommand    `cmd:"" help:"Fold the streams again that could not be folded and were parked, after what was wrong has been put right." name:"retry-parked"`
	Migrate  migrateCommand  `cmd:"" help:"Bring the schema of the read models up to date."`
	Health   healthCommand   `cmd:"" help:"Ask a server whether it is ready; fails when it is not."`
	Token    tokenCommand    `cmd:"" help:"Sign a bearer token with the key of the data directory."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "chatwatch:", err)
		os.Exit(1)
	}
}

// run is the program: what main does, without the process around it, so that a test can start it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("chatwatch"),
		kong.Description("Supervised customer-service chat, event-sourced."),
		kong.DefaultEnvars("CHATWATCH"),
		kong.Writers(stdout, stderr),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Exit(func(int) { panic(helpShown{}) }),
	)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(helpShown); !ok {
				panic(p)
			}
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run(&environment{cli: &c, stdout: stdout, stderr: stderr, log: logger(&c, stderr)})
}

// helpShown ends the program after --help, in kong's way out of parsing.
type helpShown struct{}

// environment is what every command runs in.
type environment struct {
	*cli
	stdout, stderr io.Writer
	log            *slog.Logger
}

func logger(c *cli, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
