package wire

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// guard stands before every call. It lets in who may, and makes of a panic a call that failed.
type guard struct {
	writes    bool
	authorize func(ctx context.Context, user, password string, write bool) error
	logger    *slog.Logger
}

func (g *guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() { err = g.outcome(info.FullMethod, err, recover()) }()
	if err := g.admit(ctx, info.FullMethod); err != nil {
		return nil, failed(ctx, "", err)
	}
	return handler(ctx, req)
}

func (g *guard) stream(srv any, call grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() { err = g.outcome(info.FullMethod, err, recover()) }()
	if err := g.admit(call.Context(), info.FullMethod); err != nil {
		if info.FullMethod == api.Streams_Append_FullMethodName {
			hearOut(call)
		}
		return failed(call.Context(), "", err)
	}
	return handler(srv, call)
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

// admit tells whether a call may be made.
func (g *guard) admit(ctx context.Context, method string) error {
	if !strings.HasPrefix(method, "/"+api.Streams_ServiceDesc.ServiceName+"/") {
		return nil
	}
	write := method != api.Streams_Read_FullMethodName
	if g.authorize != nil {
		user, password, err := basicCredentials(ctx)
		if err != nil {
			return err
		}
		if err := g.authorize(ctx, user, password, write); err != nil {
			return fmt.Errorf("%w: %w", errDenied, err) // ErrUnauthenticated is looked for first
		}
	}
	if write && !g.writes {
		return errDenied
	}
	return nil
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

// hearOut takes what the caller of Append still has to say, as far as an append may go, and keeps nothing of it. Clients
// that are refused in the middle of a sentence take it for a broken connection.
func hearOut(call grpc.ServerStream) {
	var m api.AppendReq
	for bytes, n := 0, 0; bytes <= eventstore.MaxAppendBytes && n <= maxAppendEvents; n++ {
		if call.RecvMsg(&m) != nil {
			return
		}
		bytes += proto.Size(&m)
	}
}
