package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	contentJSON   = "application/json"
	contentOctets = "application/octet-stream"
	shortData     = 32 // bytes; a number that is longer is none of ours
)

// outgoing are the answers of one call of Read. An event's message is filled anew for each: it is marshalled when Send
// returns, so that a long read allocates next to nothing.
type outgoing struct {
	call     api.Streams_ReadServer
	response api.ReadResp
	event    api.ReadResp_Event
	read     api.ReadResp_ReadEvent
	recorded api.ReadResp_ReadEvent_RecordedEvent
	commit   api.ReadResp_ReadEvent_CommitPosition
	stream   shared.StreamIdentifier
	id       shared.UUID
	bits     shared.UUID_Structured
	textIDs  bool
	created  time.Time // as the message says it
}

func newOutgoing(call api.Streams_ReadServer, textIDs bool) *outgoing {
	o := &outgoing{call: call, textIDs: textIDs}
	o.response.Content = &o.event
	o.event.Event = &o.read
	o.read.Event, o.read.Position = &o.recorded, &o.commit
	o.recorded.Id, o.recorded.StreamIdentifier = &o.id, &o.stream
	o.recorded.Metadata = map[string]string{"created": "0"}
	o.id.Value = &shared.UUID_Structured_{Structured: &o.bits}
	o.created = time.Unix(0, 0)
	return o
}

// send tells an event, unless the call has ended.
func (o *outgoing) send(e *eventstore.Recorded) error {
	if err := o.call.Context().Err(); err != nil {
		return err
	}
	if o.textIDs {
		o.id.Value = &shared.UUID_String_{String_: e.ID.String()}
	} else {
		o.bits.MostSignificantBits, o.bits.LeastSignificantBits = halves(e.ID)
	}
	if !e.RecordedAt.Equal(o.created) {
		o.created = e.RecordedAt
		o.recorded.Metadata["created"] = strconv.FormatInt(ticks(e.RecordedAt), 10)
	}
	o.recorded.Metadata["type"] = e.Type
	o.recorded.Metadata["content-type"] = contentType(e.Data)
	o.stream.StreamName = append(o.stream.StreamName[:0], e.Stream...)
	o.recorded.StreamRevision = e.Revision
	position := uint64(e.Position)
	o.recorded.CommitPosition, o.recorded.PreparePosition, o.commit.CommitPosition = position, position, position
	o.recorded.Data, o.recorded.CustomMetadata = e.Data, e.Metadata
	return o.call.Send(&o.response)
}

func (o *outgoing) notFound(stream string) error {
	return o.call.Send(&api.ReadResp{Content: &api.ReadResp_StreamNotFound_{StreamNotFound: &api.ReadResp_StreamNotFound{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
	}}})
}

// confirm tells that a subscription stands.
func (o *outgoing) confirm() error {
	return o.call.Send(&api.ReadResp{Content: &api.ReadResp_Confirmation{
		Confirmation: &api.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

func (o *outgoing) checkpoint(at eventstore.Position) error {
	return o.call.Send(&api.ReadResp{Content: &api.ReadResp_Checkpoint_{
		Checkpoint: &api.ReadResp_Checkpoint{CommitPosition: uint64(at), PreparePosition: uint64(at)},
	}})
}

func (o *outgoing) caughtUp() error {
	return o.call.Send(&api.ReadResp{Content: &api.ReadResp_CaughtUp_{CaughtUp: &api.ReadResp_CaughtUp{}}})
}

func (o *outgoing) fellBehind() error {
	return o.call.Send(&api.ReadResp{Content: &api.ReadResp_FellBehind_{FellBehind: &api.ReadResp_FellBehind{}}})
}

// ticks is a time in the server's units of 100 ns since 1970. A client that cannot read it ends its process.
func ticks(t time.Time) int64 { return t.UnixNano() / 100 }

// contentType guesses from both ends of the data whether it is JSON, which costs less than to read all of it. What is short
// is read.
func contentType(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) <= shortData {
		if json.Valid(data) {
			return contentJSON
		}
		return contentOctets
	}
	switch first, last := data[0], data[len(data)-1]; {
	case first == '{' && last == '}', first == '[' && last == ']', first == '"' && last == '"':
		return contentJSON
	}
	return contentOctets
}

func halves(id uuid.UUID) (most, least int64) {
	return int64(binary.BigEndian.Uint64(id[:8])), int64(binary.BigEndian.Uint64(id[8:]))
}

func structured(id uuid.UUID) *shared.UUID {
	most, least := halves(id)
	return &shared.UUID{Value: &shared.UUID_Structured_{
		Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
	}}
}

func unstructured(s *shared.UUID_Structured) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(s.GetMostSignificantBits()))
	binary.BigEndian.PutUint64(id[8:], uint64(s.GetLeastSignificantBits()))
	return id
}
