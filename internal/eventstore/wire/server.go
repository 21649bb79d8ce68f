package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	// maxMessage is what one message to the server may have, as in EventStoreDB. An append is bounded apart from it.
	maxMessage = 17 << 20
	// pingSpacing is the least time between two pings of a client. The official ones ping every 10 s, which the default
	// policy of 5 minutes answers by closing the connection.
	pingSpacing = 3 * time.Second
	// pingAfter and pingPatience find the followers that are gone without having said so.
	pingAfter    = 10 * time.Second
	pingPatience = 10 * time.Second
	// maxCalls is what one connection may have under way. Clients with more, which is subscriptions, wait or connect again.
	maxCalls = 10_000
)

// Config of a Server.
type Config struct {
	Store eventstore.Store
	// Writes allows Append, Delete and Tombstone. They are answered with PermissionDenied otherwise.
	Writes bool
	// TLS is plain text when nil. Clients show no credentials over plain text.
	TLS *tls.Config
	// Authorize is asked about every call of Streams when not nil: with the user and password of HTTP Basic credentials, ""
	// when none were sent, and whether the call writes. An error refuses the call: ErrUnauthenticated with Unauthenticated,
	// eventstore.ErrUnavailable with Unavailable, any other with PermissionDenied. A call that is let in ends with Unauthenticated at the time until which the
	// credentials are good, zero for ever. Gossip and ServerFeatures are open, since clients call them without credentials.
	Authorize func(ctx context.Context, user, password string, write bool) (until time.Time, err error)
	// Admit is asked about every event that a caller wants to append, when not nil, and refuses the append with
	// InvalidArgument and the text of its error. Events are as they came, within the bounds of an append: their ids and types
	// may still be such as the store refuses. They must not be changed or kept.
	Admit func(stream string, e *eventstore.Event) error
	// Logger is told of trouble; never anything of an event, a name or a credential.
	Logger *slog.Logger
	// Options are further options of the gRPC server. Interceptors among them come after the server's own, and must not keep
	// the messages of Read, which are used again. The messages of Append are received in another goroutine than the call's.
	Options []grpc.ServerOption
}

// Server serves a store. It may be used for several listeners.
type Server struct {
	grpc *grpc.Server
}

// New makes a server that serves nothing yet.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := grpc.NewServer(serverOptions(c)...)
	api.RegisterStreamsServer(s, &streams{store: c.Store, deletions: newDeletions(c.Store), admit: c.Admit})
	gossip.RegisterGossipServer(s, newMember())
	serverfeatures.RegisterServerFeaturesServer(s, features{})
	return &Server{grpc: s}
}

func serverOptions(c Config) []grpc.ServerOption {
	g := &guard{writes: c.Writes, authorize: c.Authorize, logger: c.Logger}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxCalls),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingSpacing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingPatience}),
		grpc.WaitForHandlers(true),
		grpc.ChainUnaryInterceptor(g.unary),
		grpc.ChainStreamInterceptor(g.stream),
	}
	if c.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(c.TLS)))
	}
	return append(options, c.Options...)
}

// Serve answers the calls that come to a listener, which it closes, until Stop. It returns nil after Stop.
func (s *Server) Serve(l net.Listener) error {
	if err := s.grpc.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Stop ends subscriptions and calls, and returns when none uses the store any more, so it must not be called by one. It
// may be called more than once, and does not close the store.
func (s *Server) Stop() { s.grpc.Stop() }
