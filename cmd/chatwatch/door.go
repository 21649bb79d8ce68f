package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// door is where EventStoreDB's clients reach the embedded log.
type door struct {
	listener net.Listener
	server   *wire.Server
	tls      bool
}

// openDoor listens at --eventstore-listen; there is no door without it.
func (n *node) openDoor(s serving) (*door, error) {
	if s.LogListen == "" {
		return nil, nil
	}
	config := wire.Config{Store: n.store, Writes: s.LogWrites, Admit: readable, Logger: n.log}
	if s.LogCert != "" {
		certificate, err := tls.LoadX509KeyPair(s.LogCert, s.LogKey)
		if err != nil {
			return nil, fmt.Errorf("certificate of --eventstore-listen: %w", err)
		}
		config.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		config.Authorize = n.admits
	}
	listener, err := net.Listen("tcp", s.LogListen)
	if err != nil {
		return nil, fmt.Errorf("listen for EventStoreDB's clients on %s: %w", s.LogListen, err)
	}
	return &door{listener: listener, server: wire.New(config), tls: config.TLS != nil}, nil
}

// admits lets auditors read the log, and administrators read and write. Their token is the password, whatever the user.
// They are let in for as long as it is good, and their reading is recorded first.
func (n *node) admits(ctx context.Context, _, password string, write bool) (until time.Time, err error) {
	who, err := n.tokens.Verify(password)
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		return until, wire.ErrUnauthenticated
	case err != nil:
		return until, err
	case write && who.Role == domain.RoleAdmin:
		return who.Expires, nil
	case !write && (who.Role == domain.RoleAdmin || who.Role == domain.RoleAuditor):
		return who.Expires, n.recordReading(ctx, who)
	}
	return until, errors.New("the role may not")
}

// recordReading records that somebody reads the log itself. Which streams is not told: whoever may read one may read all.
func (n *node) recordReading(ctx context.Context, who auth.Identity) error {
	r := command.Request{ID: uuid.New(), Actor: who.Actor(), At: clock()}
	_, err := n.service.RecordAccess(ctx, r, access.Read{Kind: access.OfLog, Format: access.Client}, "")
	if err != nil && ctx.Err() == nil {
		n.log.WarnContext(ctx, "a reading of the log could not be recorded and is refused", "error", err)
		err = eventstore.ErrUnavailable // of what kind the trouble is, is nothing for the caller
	}
	return err
}

// readable refuses what the product could not read of its own streams: whoever wrote it would damage a session for good.
func readable(stream string, e *eventstore.Event) error {
	if !eventcodec.Streams().Matches(stream, e.Type) {
		return nil
	}
	if err := eventcodec.Belongs(stream, *e); err != nil {
		return errors.New("this is not an event that belongs in a stream of that name")
	}
	return nil
}

// run serves until ctx ends.
func (d *door) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, d.server.Stop)
	defer stop()
	return d.server.Serve(d.listener)
}

// address is what a client connects to.
func (d *door) address() string {
	host, port, _ := net.SplitHostPort(d.listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.To4() == nil {
		host = "localhost" // clients take no IPv6 address apart
	}
	address := "esdb://" + host + ":" + port
	if !d.tls {
		address += "?tls=false"
	}
	return address
}
