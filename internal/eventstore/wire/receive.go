package wire

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	// maxAppendEvents bounds the events of one append, as MaxAppendBytes does their bytes: an event without any costs memory
	// too.
	maxAppendEvents = 64 << 10
	// silence is how long a message of an append may take to come.
	silence = 30 * time.Second
	// hearing is how long a caller whose append is refused is heard out, all in all.
	hearing = 5 * time.Second
)

// errSilent ends an append whose caller says nothing.
var errSilent = status.Errorf(codes.DeadlineExceeded, "no message of the append came for %v", silence)

// proposal is what a caller wants to have appended.
type proposal struct {
	stream   string
	expected eventstore.Expected
	events   []eventstore.Event
	bytes    int
}

// receive takes a call's messages up to its end, and no more than an append may have. Of two reasons to refuse it the first
// is told, when the caller has finished: one who is still sending takes an early answer for a broken connection.
func receive(call api.Streams_AppendServer) (p proposal, err error) {
	l := listen(call)
	defer l.leave()
	var refusal error
	for n := 0; ; n++ {
		m, err := l.next(refusal != nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errSilent) && refusal != nil {
			return p, refusal
		}
		if err != nil {
			return p, err
		}
		if n == 0 {
			refusal = p.begin(m.GetOptions())
			continue
		}
		event := m.GetProposedMessage()
		p.bytes += len(event.GetData()) + len(event.GetCustomMetadata())
		large := p.bytes > eventstore.MaxAppendBytes || n > maxAppendEvents
		switch {
		case refusal != nil && large:
			return p, refusal
		case large:
			return p, eventstore.ErrTooLarge
		case refusal == nil:
			refusal = p.add(call.Context(), event)
		}
	}
	if refusal == nil && p.stream == "" {
		refusal = invalid("an append begins with its options")
	}
	return p, refusal
}

// begin takes the options of an append.
func (p *proposal) begin(o *api.AppendReq_Options) (err error) {
	if p.stream, err = writable(o.GetStreamIdentifier()); err != nil {
		return err
	}
	p.expected, err = expectation(o)
	return err
}

// add takes an event.
func (p *proposal) add(ctx context.Context, m *api.AppendReq_ProposedMessage) error {
	if m == nil {
		return invalid("an append has events after its options")
	}
	eventType, ok := m.Metadata["type"]
	if !ok {
		return missing(ctx, "type")
	}
	if _, ok := m.Metadata["content-type"]; !ok {
		return missing(ctx, "content-type")
	}
	id, err := eventID(m.Id)
	if err != nil {
		return err
	}
	if len(eventType) > eventstore.MaxTypeName {
		return invalid("the type of an event has at most %d bytes", eventstore.MaxTypeName)
	}
	if size := len(m.Data) + len(m.CustomMetadata); size > eventstore.MaxEventBytes {
		return &eventTooLarge{id: id.String(), bytes: size}
	}
	p.events = append(p.events, eventstore.Event{ID: id, Type: eventType, Data: m.Data, Metadata: m.CustomMetadata})
	return nil
}

// hearOut takes what the caller of Append still has to say, as far as an append may go, and keeps nothing of it. Clients
// that are refused in the middle of a sentence take it for a broken connection.
func hearOut(call grpc.ServerStream) {
	l := listen(call)
	defer l.leave()
	for bytes, n := 0, 0; bytes <= eventstore.MaxAppendBytes && n <= maxAppendEvents; n++ {
		m, err := l.next(true)
		if err != nil {
			return
		}
		bytes += proto.Size(m)
	}
}

// listener hears the caller of an append in a goroutine of its own, as nothing but the end of the call ends the wait for a
// message. That goroutine ends with the call.
type listener struct {
	ctx     context.Context
	said    chan heard
	left    chan struct{}
	timer   *time.Timer
	refused bool
}

// heard is a message, or why there is none.
type heard struct {
	message *api.AppendReq
	err     error
}

func listen(call grpc.ServerStream) *listener {
	l := &listener{ctx: call.Context(), said: make(chan heard), left: make(chan struct{}), timer: time.NewTimer(silence)}
	go func() {
		for {
			m := new(api.AppendReq)
			err := call.RecvMsg(m)
			select {
			case l.said <- heard{m, err}:
			case <-l.left:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return l
}

func (l *listener) leave() {
	l.timer.Stop()
	close(l.left)
}

// next is the next message. It fails with io.EOF at the end, with errSilent when the message takes too long, and with the
// context's error when the call has ended. The messages of a refused append have one patience together.
func (l *listener) next(refused bool) (*api.AppendReq, error) {
	switch {
	case !refused:
		l.timer.Reset(silence)
	case !l.refused:
		l.refused = true
		l.timer.Reset(hearing)
	}
	select {
	case h := <-l.said:
		return h.message, h.err
	case <-l.ctx.Done():
		return nil, l.ctx.Err()
	case <-l.timer.C:
		return nil, errSilent
	}
}

// named is the name of a stream, if it can be one: names that are asked for are remembered.
func named(id *shared.StreamIdentifier) (string, error) {
	name := id.GetStreamName()
	if len(name) == 0 || len(name) > eventstore.MaxStreamName || !utf8.Valid(name) {
		return "", invalid("a stream's name has 1 to %d bytes of UTF-8", eventstore.MaxStreamName)
	}
	return string(name), nil
}

// writable is the name of a stream that callers may change.
func writable(id *shared.StreamIdentifier) (string, error) {
	stream, err := named(id)
	if err == nil && eventstore.Own(stream) {
		return "", deniedName
	}
	return stream, err
}
