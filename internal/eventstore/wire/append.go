package wire

import (
	"context"
	"errors"
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// streams answers for the streams of a store.
type streams struct {
	api.UnimplementedStreamsServer
	store     eventstore.Store
	deletions *deletions
	admit     func(stream string, e *eventstore.Event) error // nil for one that admits everything
}

// Append adds the events of a call to a stream. A wrong expected revision is an answer, not a failure.
func (s *streams) Append(call api.Streams_AppendServer) error {
	ctx := call.Context()
	p, err := receive(call)
	if err == nil {
		err = s.admits(&p)
	}
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

// admits asks about every event of a proposal.
func (s *streams) admits(p *proposal) error {
	if s.admit == nil {
		return nil
	}
	for i := range p.events {
		if err := s.admit(p.stream, &p.events[i]); err != nil {
			return invalid("%v", err)
		}
	}
	return nil
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
