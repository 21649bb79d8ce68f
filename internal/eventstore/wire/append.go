package wire

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// maxAppendEvents bounds the events of one append, as MaxAppendBytes does their bytes: an event without any costs memory too.
const maxAppendEvents = 64 << 10

// streams answers for the streams of a store.
type streams struct {
	api.UnimplementedStreamsServer
	store     eventstore.Store
	deletions *deletions
}

// Append adds the events of a call to a stream. A wrong expected revision is an answer, not a failure.
func (s *streams) Append(call api.Streams_AppendServer) error {
	ctx := call.Context()
	p, err := receive(call)
	if err != nil {
		return failed(ctx, p.stream, err)
	}
	appended, err := s.append(ctx, p)
	if wrong, ok := errors.AsType[*eventstore.WrongRevision](err); ok {
		return call.SendAndClose(wrongRevision(wrong))
	}
	if err != nil {
		return failed(ctx, p.stream, err)
	}
	position := uint64(appended.Position)
	return call.SendAndClose(&api.AppendResp{Result: &api.AppendResp_Success_{Success: &api.AppendResp_Success{
		CurrentRevisionOption: &api.AppendResp_Success_CurrentRevision{CurrentRevision: appended.Revision},
		PositionOption: &api.AppendResp_Success_Position{
			Position: &api.AppendResp_Position{CommitPosition: position, PreparePosition: position},
		},
	}}})
}

// append adds a proposal to its stream, minding what was deleted. A stream that was deleted begins anew for those who
// expect none, and is gone for those who expect one.
func (s *streams) append(ctx context.Context, p proposal) (eventstore.Appended, error) {
	d, err := s.deletions.of(ctx, p.stream)
	if err != nil {
		return eventstore.Appended{}, err
	}
	if d.gone {
		return eventstore.Appended{}, eventstore.ErrStreamDeleted
	}
	expected := p.expected
	if d.from > 0 && (expected == eventstore.NoStream || expected == eventstore.StreamExists) {
		last, err := lastRevision(ctx, s.store, p.stream)
		if err != nil {
			return eventstore.Appended{}, err
		}
		if d.hides(last) && expected == eventstore.StreamExists {
			return eventstore.Appended{}, eventstore.ErrStreamDeleted
		}
		if d.hides(last) {
			expected = last
		}
	}
	appended, err := s.store.Append(ctx, p.stream, expected, p.events)
	if wrong, ok := errors.AsType[*eventstore.WrongRevision](err); ok {
		return appended, &eventstore.WrongRevision{Stream: p.stream, Expected: p.expected, Actual: wrong.Actual}
	}
	return appended, err
}

// lastRevision of a stream as the store has it, or NoStream.
func lastRevision(ctx context.Context, store eventstore.Store, stream string) (eventstore.Expected, error) {
	for e, err := range store.ReadStream(ctx, stream, math.MaxUint64, eventstore.Backwards, 1) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			break
		}
		return eventstore.Exactly(e.Revision), err
	}
	return eventstore.NoStream, nil
}

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
	var refusal error
	for n := 0; ; n++ {
		m, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
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

// writable is the name of a stream that callers may change.
func writable(id *shared.StreamIdentifier) (string, error) {
	stream := string(id.GetStreamName())
	switch {
	case stream == "":
		return "", invalid("a stream has a name")
	case eventstore.Own(stream):
		return "", errDenied
	}
	return stream, nil
}

func exactly(revision uint64) (eventstore.Expected, error) {
	if revision > math.MaxInt64 {
		return 0, invalid("expected revision %d", revision)
	}
	return eventstore.Exactly(revision), nil
}

func eventID(id *shared.UUID) (uuid.UUID, error) {
	switch v := id.GetValue().(type) {
	case *shared.UUID_Structured_:
		return unstructured(v.Structured), nil
	case *shared.UUID_String_:
		if parsed, err := uuid.Parse(v.String_); err == nil {
			return parsed, nil
		}
	}
	return uuid.Nil, invalid("the id of an event is a UUID")
}

// wrongRevision is the answer for clients of all ages: the fields that end in 20_6_0 are what older ones look at.
func wrongRevision(e *eventstore.WrongRevision) *api.AppendResp {
	w := &api.AppendResp_WrongExpectedVersion{}
	if e.Actual < 0 {
		w.CurrentRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
		w.CurrentRevisionOption = &api.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		actual := uint64(e.Actual)
		w.CurrentRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: actual}
		w.CurrentRevisionOption = &api.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: actual}
	}
	switch e.Expected {
	case eventstore.Any:
		w.ExpectedRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	case eventstore.StreamExists:
		w.ExpectedRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	case eventstore.NoStream: // which older ones have no word for
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	default:
		expected := uint64(e.Expected)
		w.ExpectedRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: expected}
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: expected}
	}
	return &api.AppendResp{Result: &api.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}
