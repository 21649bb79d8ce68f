// Package eventstore is the contract of the log that everything else is built on: streams of events with expected
// revisions, and one total order over all of them. It decides nothing about the product and knows bytes only; what an
// event means is the codec's business.
//
// Implementations live in packages named after their technology and pass the suite in storetest.
package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Position is a place in the log of all streams. It grows with every event, is not promised to be dense, and is the
// position of an event or Start or End.
type Position uint64

const (
	// Start is the place before the first event.
	Start Position = 0
	// End is the place after the last event, whichever that is at the time.
	End Position = math.MaxUint64
)

// Expected is what an append demands of its stream: the revision of the last event, or one of the named expectations.
type Expected int64

const (
	// NoStream demands that the stream has no event yet.
	NoStream Expected = -1
	// Any demands nothing. Idempotency is then best effort.
	Any Expected = -2
	// StreamExists demands that the stream has at least one event.
	StreamExists Expected = -4
)

// Exactly demands that the last event of the stream has revision r (counted from 0).
func Exactly(r uint64) Expected { return Expected(r) }

// Event is what is appended. The ID makes a retried append harmless, so it is derived from the request that caused it.
type Event struct {
	ID       uuid.UUID
	Type     string // wire name, 1..128 bytes
	Data     []byte // JSON
	Metadata []byte // JSON, a flat map of strings
}

// Recorded is an event as the log holds it. Its slices are shared between readers and must not be written to.
type Recorded struct {
	Event
	Stream     string
	Revision   uint64 // within the stream, from 0, dense
	Position   Position
	RecordedAt time.Time // UTC, by the store's clock
}

// Appended is the answer to an append: where its last event stands. A retry of an append that had been stored gets the
// answer of the first.
type Appended struct {
	Revision uint64
	Position Position
}

// Direction of a read.
type Direction uint8

// Directions of a read.
const (
	Forwards Direction = iota
	Backwards
)

// Filter selects events of the whole log. An event passes when its stream begins with one of the prefixes and its type
// is one of the types; an empty list lets everything pass. Streams whose names begin with $ are what a store keeps for
// itself: they pass only when a prefix asks for them by beginning with $ too.
type Filter struct {
	StreamPrefixes []string
	Types          []string
}

// Matches tells whether an event of this stream and type passes.
func (f Filter) Matches(stream, eventType string) bool {
	if len(f.Types) > 0 && !slices.Contains(f.Types, eventType) {
		return false
	}
	if len(f.StreamPrefixes) == 0 {
		return !Own(stream)
	}
	return slices.ContainsFunc(f.StreamPrefixes, func(p string) bool {
		return strings.HasPrefix(stream, p) && Own(stream) == Own(p)
	})
}

// Own tells whether a stream is one that stores keep for themselves.
func Own(stream string) bool { return strings.HasPrefix(stream, "$") }

// Batch is a step of a subscription.
type Batch struct {
	// Events that passed the filter, in log order; may be empty.
	Events []Recorded
	// Position up to which (inclusively) everything that passes the filter has been delivered, with this batch.
	Position Position
	// CaughtUp says that the subscription stood at the end of the log when the batch was made.
	CaughtUp bool
}

// Subscription follows the log. It is used by one goroutine at a time, but Close may come from any.
type Subscription interface {
	// Next waits for the next batch: events, or news that the position moved on without any, or that the end of the
	// log has been reached (told once each time it is reached anew). It ends with ctx.Err() when the context does, with
	// ErrClosed after Close, with ErrInvalid when the log came back shorter, and with ErrUnavailable when the connection is
	// lost; the follower then subscribes again from the last Position. After the end of a context it may be called again.
	Next(ctx context.Context) (Batch, error)
	// Close ends the subscription and frees what it holds. It may be called more than once.
	Close() error
}

// Store is a log of streams. All methods may be called concurrently, and return promptly when their context ends.
type Store interface {
	// Append adds events to the end of a stream, all or none, durably before it returns.
	//
	// With Exactly(r) or NoStream below the stream's revision, the ids of the events decide: when they are those already
	// stored at the next revisions, the answer of the first append is given again; otherwise WrongRevision. The caller may
	// reuse its slices afterwards. When ctx ends first, or with ErrUnavailable, the events may be stored or not; a retry
	// with the same ids and expectation finds out. Errors: *WrongRevision, ErrInvalid, ErrTooLarge, ErrStreamDeleted,
	// ErrUnavailable, ErrClosed.
	Append(ctx context.Context, stream string, expected Expected, events []Event) (Appended, error)

	// ReadStream yields the events of one stream: forwards from revision from (inclusive), or backwards from it
	// (math.MaxUint64 for the last); at most limit of them, all when limit is 0. A stream that does not exist ends with
	// ErrStreamNotFound.
	ReadStream(ctx context.Context, stream string, from uint64, direction Direction, limit int) iter.Seq2[Recorded, error]

	// ReadAll yields the events of all streams that pass the filter, in log order: forwards those after from, backwards
	// those up to and including from; at most limit of them, all that exist at the time of the call when limit is 0. What
	// it has shown, a subscription that begins later delivers before it tells that it has caught up.
	ReadAll(ctx context.Context, from Position, direction Direction, limit int, filter Filter) iter.Seq2[Recorded, error]

	// Subscribe follows the log from the place after a position: first what is stored, then what comes. The context bounds
	// the call, not the subscription. A position beyond the end is ErrInvalid: it is of another log, or of one that has lost
	// its end.
	Subscribe(ctx context.Context, after Position, filter Filter) (Subscription, error)

	// Head is the position of the last event, Start for an empty log: of the last that passes an empty Filter at least.
	// The Position of a Batch may be beyond it.
	Head(ctx context.Context) (Position, error)

	// Close ends all subscriptions, waits for the appends that have reached the log and frees the store's resources.
	Close() error
}

// Errors of a store.
var (
	ErrStreamNotFound = errors.New("eventstore: stream not found")
	ErrStreamDeleted  = errors.New("eventstore: stream deleted")
	ErrTooLarge       = errors.New("eventstore: append too large")
	ErrUnavailable    = errors.New("eventstore: unavailable")
	ErrClosed         = errors.New("eventstore: closed")
	ErrInvalid        = errors.New("eventstore: invalid argument")
)

// WrongRevision tells that a stream is not where the append expected it.
type WrongRevision struct {
	Stream   string
	Expected Expected
	// Actual is the stream's last revision, or NoStream.
	Actual Expected
}

func (e *WrongRevision) Error() string {
	return fmt.Sprintf("eventstore: stream %s is at revision %d, expected %d", e.Stream, e.Actual, e.Expected)
}
