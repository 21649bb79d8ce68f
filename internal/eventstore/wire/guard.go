package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// guard stands before every call. It lets in who may, and makes of a panic a call that failed.
type guard struct {
	writes    bool
	authorize func(ctx context.Context, user, password string, write bool) (time.Time, error)
	logger    *slog.Logger
}

func (g *guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() { err = g.outcome(info.FullMethod, err, recover()) }()
	until, err := g.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, failed(ctx, "", err)
	}
	ctx, cancel := within(ctx, until)
	defer cancel()
	resp, err = handler(ctx, req)
	return resp, expired(ctx, err)
}

func (g *guard) stream(srv any, call grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() { err = g.outcome(info.FullMethod, err, recover()) }()
	until, err := g.admit(call.Context(), info.FullMethod)
	if err != nil {
		if info.FullMethod == api.Streams_Append_FullMethodName {
			hearOut(call)
		}
		return failed(call.Context(), "", err)
	}
	ctx, cancel := within(call.Context(), until)
	defer cancel()
	return expired(ctx, handler(srv, &bounded{call, ctx}))
}

// bounded is a call with a context of its own.
type bounded struct {
	grpc.ServerStream
	ctx context.Context
}

func (c *bounded) Context() context.Context { return c.ctx }

// within is a context that ends with the caller's credentials. Those without a time are good for ever.
func within(ctx context.Context, until time.Time) (context.Context, context.CancelFunc) {
	if until.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, until, errExpired)
}

// expired is the error of a call that ended. The deadline of the credentials is told from one that the caller has set.
func expired(ctx context.Context, err error) error {
	code := status.Code(err)
	if (code == codes.DeadlineExceeded || code == codes.Canceled) && errors.Is(context.Cause(ctx), errExpired) {
		return failed(ctx, "", errExpired)
	}
	return err
}

// outcome of a call. Of a panic nothing is told but where: its value may hold anything.
func (g *guard) outcome(method string, err error, panicked any) error {
	if panicked != nil {
		kind := fmt.Sprintf("%T", panicked)
		g.logger.Error("event store call panicked", "method", method, "type", kind, "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "internal error")
	}
	if status.Code(err) == codes.Internal {
		g.logger.Error("event store call failed", "method", method)
	}
	return err
}

// admit tells whether a call may be made, and until when it may last.
func (g *guard) admit(ctx context.Context, method string) (until time.Time, err error) {
	if !strings.HasPrefix(method, "/"+api.Streams_ServiceDesc.ServiceName+"/") {
		return until, nil
	}
	write := method != api.Streams_Read_FullMethodName
	if g.authorize != nil {
		user, password, err := basicCredentials(ctx)
		if err != nil {
			return until, err
		}
		until, err = g.authorize(ctx, user, password, write)
		if errors.Is(err, eventstore.ErrUnavailable) {
			return until, eventstore.ErrUnavailable
		}
		if err != nil {
			return until, fmt.Errorf("%w: %w", deniedCaller, err) // ErrUnauthenticated is looked for first
		}
		if !until.IsZero() && !until.After(time.Now()) {
			return until, errExpired
		}
	}
	if write && !g.writes {
		return until, deniedHere
	}
	return until, nil
}

// basicCredentials are those of HTTP Basic authentication, empty when there are none.
func basicCredentials(ctx context.Context) (user, password string, err error) {
	sent := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(sent) == 0 {
		return "", "", nil
	}
	scheme, encoded, _ := strings.Cut(sent[0], " ")
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	user, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok || !strings.EqualFold(scheme, "basic") {
		return "", "", ErrUnauthenticated
	}
	return user, password, nil
}
