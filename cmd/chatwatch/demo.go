package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/simulation"
)

// demoCommand serves with a sample site and lively traffic.
type demoCommand struct {
	serving
	Rate float64 `help:"Public messages a second of the sample traffic; 0 for none." default:"2"`
}

//go:embed sample.jsonl
var sampleConversations []byte

func (c *demoCommand) Run(ctx context.Context, e *environment) error {
	if e.EventStore != "" {
		return errors.New("demo serves on the embedded log alone, and --eventstore (or CHATWATCH_EVENTSTORE) names another")
	}
	return serve(ctx, e, c.serving, func(ctx context.Context, n *node, address string) error {
		if err := sampleSite(ctx, n.service); err != nil {
			return fmt.Errorf("set up the sample site: %w", err)
		}
		base := "http://" + reachable(address)
		if err := invite(e.stdout, n.tokens, base, e.DataDir); err != nil {
			return err
		}
		if c.Rate <= 0 {
			return nil
		}
		return traffic(ctx, e, n.tokens, base, c.Rate)
	})
}

// traffic plays the sample conversations over and over until the context ends.
func traffic(ctx context.Context, e *environment, tokens *auth.Tokens, base string, rate float64) error {
	sample, bad, err := simulation.ReadConversations(bytes.NewReader(sampleConversations), 0)
	if err != nil || len(bad) > 0 {
		return fmt.Errorf("read the sample conversations: %w (%d bad lines)", err, len(bad))
	}
	for ctx.Err() == nil {
		_, err := simulation.Run(ctx, simulation.Config{
			BaseURL: base, Token: signer(tokens), Conversations: sample, Repeat: 100, Parallel: 6, Rate: rate,
			Prefix: "demo", RequestAs: "admin", SkipVerify: true,
		})
		if err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "the sample traffic was interrupted and goes on", "error", err)
		}
	}
	return ctx.Err()
}

// reachable is an address that a client on this machine can use.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// sampleSite defines the queues, profiles and people that the printed commands use. It changes nothing the second time.
func sampleSite(ctx context.Context, s *command.Service) error {
	by := func() command.Request {
		return command.Request{ID: uuid.New(), Actor: domain.Actor{ID: "demo", Role: domain.RoleAdmin}, At: clock()}
	}
	queues := []domain.QueueID{"billing", "support"}
	for i, name := range []string{"Billing", "Support"} {
		if _, err := s.DefineQueue(ctx, by(), queues[i], queue.Settings{
			Name: name, ServiceLevelMS: queue.DefaultServiceLevel, ShortAbandonMS: queue.DefaultShortAbandon,
			AgentPrivateReply: queue.AfterJoin, OfferTimeoutMS: queue.DefaultOfferTimeout,
		}); err != nil {
			return err
		}
	}
	agent := profile.Settings{
		Name: "Agents", Chat: true, MaxSessions: 4, Queues: queues, PullPolicy: profile.FirstDue, AllowDecline: true, ReceiveOffers: true,
	}
	supervisor := profile.Settings{
		Name: "Supervisors", Chat: true, Supervisor: true, Monitor: true, MaxSessions: 5, Queues: queues,
		PullPolicy: profile.FirstDue, AllowDecline: true,
	}
	if _, err := s.DefineProfile(ctx, by(), "agents", agent); err != nil {
		return err
	}
	if _, err := s.DefineProfile(ctx, by(), "supervisors", supervisor); err != nil {
		return err
	}
	for _, m := range []struct {
		id      domain.StaffID
		name    string
		profile domain.ProfileID
	}{{"ada", "Ada", "agents"}, {"ben", "Ben", "agents"}, {"sam", "Sam", "supervisors"}} {
		if _, err := s.RegisterStaff(ctx, by(), m.id, m.name, m.profile); err != nil {
			return err
		}
	}
	return nil
}

// program is how this program can be called again.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// invite prints where to look and what to paste next.
func invite(w io.Writer, tokens *auth.Tokens, base, dataDir string) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "\nA sample site is running, with customers chatting in the queues billing and support.\n\n")
	fmt.Fprintf(&text, "  the API, described    %s/docs\n  its OpenAPI document  %s/openapi.json\n\n", base, base)
	fmt.Fprintf(&text, "Paste this into another terminal (the tokens are good for a day):\n\n")
	for _, t := range []struct{ name, role, subject string }{
		{"ADMIN", "admin", "root"}, {"SAM", "staff", "sam"}, {"ADA", "staff", "ada"}, {"AUDITOR", "auditor", "olga"},
	} {
		token, err := sign(tokens, t.role, t.subject, "", 24*time.Hour)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s=%s\n", t.name, token)
	}
	fmt.Fprintf(&text, `
# Sam, a supervisor, logs in and opens the Queue Snapshot.
curl -sS -X POST -H "Authorization: Bearer $SAM" -H 'Content-Type: application/json' -d '{"status":"in_meeting"}' %[1]s/v1/staff/me/login; echo
curl -sS -H "Authorization: Bearer $SAM" %[1]s/v1/reports/queue-snapshot; echo

# Sam picks a session that is with an agent, watches it, and nobody notices.
S=$(curl -sS -H "Authorization: Bearer $SAM" '%[1]s/v1/sessions?state=engaged&limit=1' | sed -E 's/.*"session_id": ?"([^"]+)".*/\1/')
curl -sS -X POST -H "Authorization: Bearer $SAM" %[1]s/v1/sessions/$S/monitor; echo
curl -sS -m 20 -N -H "Authorization: Bearer $SAM" %[1]s/v1/sessions/$S/live

# The history of that session, from the log.
%[2]s replay --data-dir %[3]s $S

The README walks through joining, private messages and leaving. Stop with Ctrl-C; the data stays in %[3]s.

`, base, program(), dataDir)
	_, err := w.Write(text.Bytes())
	return err
}
