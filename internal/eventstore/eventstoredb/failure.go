package eventstoredb

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// ErrRefused is wrapped by ErrUnavailable when the server does not accept the user, or denies what is needed.
var ErrRefused = errors.New("eventstoredb: the server refuses the user")

// ErrUnsupported is wrapped by ErrUnavailable when the server is too old.
var ErrUnsupported = errors.New("eventstoredb: the server is not supported")

// errSilent is the cause when a server has not answered in time.
var errSilent = errors.New("the server does not answer")

// errEnd ends a read that has come to its end. The client's io.EOF says so of a read; of an append, that it went wrong.
var errEnd = errors.New("no more events")

// kind of a failure, which says what can be done about it.
type kind uint8

const (
	none     kind = iota
	lost          // connection, leader or answer: worth another attempt
	final         // ours, for the caller as it is
	invalid       // the server will not have it
	refused       // the user may not
	missing       // no such stream
	deleted       // the stream was deleted for good
	tooLarge      // for this server's settings
	revision      // the stream is not where it was expected
)

// kindOf sorts an error of the client. Its own FromError does not see through wrapping.
func kindOf(err error) kind {
	if err == nil || errors.Is(err, errEnd) {
		return none
	}
	for _, ours := range []error{eventstore.ErrClosed, eventstore.ErrUnavailable, eventstore.ErrInvalid} {
		if errors.Is(err, ours) {
			return final
		}
	}
	failure, ok := errors.AsType[*esdb.Error](err)
	if !ok {
		return kindOfStatus(err)
	}
	switch failure.Code() {
	case esdb.ErrorCodeWrongExpectedVersion:
		return revision
	case esdb.ErrorCodeStreamDeleted:
		return deleted
	case esdb.ErrorCodeResourceNotFound:
		return missing
	case esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeAccessDenied:
		return refused
	default:
		return kindOfStatus(err)
	}
}

func kindOfStatus(err error) kind {
	switch s := statusOf(err); s.Code() {
	case codes.InvalidArgument:
		if text := strings.ToLower(s.Message()); strings.Contains(text, "append size") || strings.Contains(text, "append event size") {
			return tooLarge
		}
		return invalid
	case codes.Unauthenticated, codes.PermissionDenied:
		return refused
	default:
		return lost
	}
}

// statusOf is the status that the server or the connection gave, wherever it is wrapped.
func statusOf(err error) *status.Status {
	var with interface{ GRPCStatus() *status.Status }
	if errors.As(err, &with) {
		return with.GRPCStatus()
	}
	return status.New(codes.Unknown, err.Error())
}

// told is the innermost cause in plain words.
func told(err error) error {
	var with interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &with) {
		return err
	}
	text := with.GRPCStatus().Message()
	if _, inner, ok := strings.Cut(text, `desc = "`); ok {
		text = strings.TrimSuffix(inner, `"`)
	}
	return errors.New(strings.TrimPrefix(strings.ReplaceAll(text, `\"`, `"`), "transport: "))
}

// translated is an error of the client in the words of the contract.
func translated(err error, k kind, stream string) error {
	switch k {
	case lost:
		return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, told(err))
	case refused:
		return fmt.Errorf("%w: %w: %w", eventstore.ErrUnavailable, ErrRefused, told(err))
	case missing:
		return fmt.Errorf("%w: %s", eventstore.ErrStreamNotFound, stream)
	case deleted:
		return fmt.Errorf("%w: %s", eventstore.ErrStreamDeleted, stream)
	case tooLarge:
		return fmt.Errorf("%w: %w", eventstore.ErrTooLarge, told(err))
	case invalid:
		return fmt.Errorf("%w: %w", eventstore.ErrInvalid, told(err))
	default:
		return err
	}
}

// connectionFailed tells whether the connection is no longer to be used. The client tells most such failures itself.
func connectionFailed(err error) bool {
	if failure, ok := errors.AsType[*esdb.Error](err); ok && failure.Code() == esdb.ErrorCodeConnectionClosed {
		return true
	}
	return errors.Is(err, errSilent) || statusOf(err).Code() == codes.Unavailable
}

// actualRevision reads where a stream stands out of the error of a refused append, in whose text alone the client gives it.
func actualRevision(err error) (eventstore.Expected, bool) {
	_, rest, ok := strings.Cut(err.Error(), "but got '")
	if !ok {
		return 0, false
	}
	text, _, _ := strings.Cut(rest, "'")
	if text == "no_stream" {
		return eventstore.NoStream, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return eventstore.Expected(n), err == nil && n >= 0
}
