package wire

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// ErrUnauthenticated is returned by Config.Authorize for callers whom it does not know.
var ErrUnauthenticated = errors.New("wire: unauthenticated")

// errExpired ends the calls of a caller whose credentials are good no longer.
var errExpired = fmt.Errorf("%w: the credentials have expired", ErrUnauthenticated)

// denied refuses a caller who is known, or a call that nobody may make here, and says why.
type denied string

const (
	deniedCaller denied = "access denied"
	deniedHere   denied = "this log is offered for reading only"
	deniedName   denied = "names that begin with $ are the store's own"
)

func (d denied) Error() string { return string(d) }

// eventTooLarge is ErrTooLarge for a single event.
type eventTooLarge struct {
	id    string
	bytes int
}

func (e *eventTooLarge) Error() string {
	return fmt.Sprintf("event %s of %d bytes exceeds the maximum append event size of %d", e.id, e.bytes, eventstore.MaxEventBytes)
}

// failed gives an error the status and trailers that EventStoreDB gives it, by which clients tell errors apart. Nil and
// what is a status already stay as they are.
func failed(ctx context.Context, stream string, err error) error {
	wrong, isWrong := errors.AsType[*eventstore.WrongRevision](err)
	large, isLarge := errors.AsType[*eventTooLarge](err)
	why, isDenied := errors.AsType[denied](err)
	switch {
	case err == nil:
		return nil
	case isWrong:
		return refuse(ctx, codes.FailedPrecondition, "wrong expected version", "exception", "wrong-expected-version",
			"stream-name", printable(wrong.Stream), "expected-version", number(wrong.Expected), "actual-version", number(wrong.Actual))
	case errors.Is(err, eventstore.ErrStreamDeleted):
		return refuse(ctx, codes.FailedPrecondition, fmt.Sprintf("event stream '%s' is deleted", stream),
			"exception", "stream-deleted", "stream-name", printable(stream))
	case isLarge:
		return refuse(ctx, codes.InvalidArgument, large.Error(), "exception", "maximum-append-event-size-exceeded",
			"maximum-append-event-size", strconv.Itoa(eventstore.MaxEventBytes), "event-id", large.id,
			"proposed-append-event-size", strconv.Itoa(large.bytes))
	case errors.Is(err, eventstore.ErrTooLarge):
		return refuse(ctx, codes.InvalidArgument, fmt.Sprintf("maximum append size of %d exceeded", eventstore.MaxAppendBytes),
			"exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(eventstore.MaxAppendBytes))
	case errors.Is(err, errExpired):
		return status.Error(codes.Unauthenticated, "the credentials have expired")
	case errors.Is(err, ErrUnauthenticated):
		return status.Error(codes.Unauthenticated, "unauthenticated")
	case isDenied:
		return refuse(ctx, codes.PermissionDenied, why.Error(), "exception", "access-denied")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrClosed):
		return status.Error(codes.Unavailable, "the event store is not available")
	case errors.Is(err, eventstore.ErrInvalid):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, "the event store failed")
}

// refuse is a status with trailers.
func refuse(ctx context.Context, code codes.Code, text string, trailers ...string) error {
	_ = grpc.SetTrailer(ctx, metadata.Pairs(trailers...)) // fails outside of a call only
	return status.Error(code, text)
}

// missing is a required property of an event that was not sent.
func missing(ctx context.Context, property string) error {
	return refuse(ctx, codes.InvalidArgument, fmt.Sprintf("required metadata property '%s' is missing", property),
		"exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type")
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// number is an expectation as EventStoreDB numbers it, which is as the store does.
func number(e eventstore.Expected) string { return strconv.FormatInt(int64(e), 10) }

// printable makes a name fit for a trailer, which holds printable ASCII only.
func printable(name string) string {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return url.PathEscape(name)
		}
	}
	return name
}
