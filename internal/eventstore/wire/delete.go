package wire

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/protobuf/proto"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Delete hides what a stream holds. It can be appended to again.
func (s *streams) Delete(ctx context.Context, req *api.DeleteReq) (*api.DeleteResp, error) {
	o := req.GetOptions()
	at, err := s.delete(ctx, o.GetStreamIdentifier(), o, false)
	if err != nil {
		return nil, err
	}
	return &api.DeleteResp{PositionOption: &api.DeleteResp_Position_{
		Position: &api.DeleteResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// Tombstone hides a stream for good.
func (s *streams) Tombstone(ctx context.Context, req *api.TombstoneReq) (*api.TombstoneResp, error) {
	o := req.GetOptions()
	at, err := s.delete(ctx, o.GetStreamIdentifier(), o, true)
	if err != nil {
		return nil, err
	}
	return &api.TombstoneResp{PositionOption: &api.TombstoneResp_Position_{
		Position: &api.TombstoneResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// delete sets the mark of a deletion, and tells its position.
func (s *streams) delete(ctx context.Context, id *shared.StreamIdentifier, options proto.Message, forGood bool) (uint64, error) {
	stream, err := writable(id)
	if err != nil {
		return 0, failed(ctx, stream, err)
	}
	expected, err := expectation(options)
	if err != nil {
		return 0, failed(ctx, stream, err)
	}
	at, err := s.deletions.mark(ctx, stream, expected, forGood)
	return uint64(at), failed(ctx, stream, err)
}

// expectation of the options of an append or a deletion, each of which has its own types for the same choice.
func expectation(options proto.Message) (eventstore.Expected, error) {
	o := options.ProtoReflect()
	chosen := o.WhichOneof(o.Descriptor().Oneofs().ByName("expected_stream_revision"))
	if chosen == nil {
		return 0, invalid("it is said what is expected of the stream")
	}
	switch chosen.Name() {
	case "no_stream":
		return eventstore.NoStream, nil
	case "any":
		return eventstore.Any, nil
	case "stream_exists":
		return eventstore.StreamExists, nil
	default:
		return exactly(o.Get(chosen).Uint())
	}
}
