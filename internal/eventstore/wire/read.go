package wire

import (
	"errors"
	"math"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Read answers reads and subscriptions, of a stream or of $all.
func (s *streams) Read(req *api.ReadReq, call api.Streams_ReadServer) error {
	r, err := newRequest(req)
	if err == nil {
		out := newOutgoing(call, r.textIDs)
		switch {
		case r.follow && r.stream != "":
			err = s.followStream(r, out)
		case r.follow:
			err = s.followAll(r, out)
		case r.stream != "":
			err = s.readStream(r, out)
		default:
			err = s.readAll(r, out)
		}
	}
	return failed(call.Context(), r.stream, err)
}

// readStream tells what a stream shows. That it shows nothing at all is an answer, not a failure.
func (s *streams) readStream(r request, out *outgoing) error {
	ctx := out.call.Context()
	d, err := s.deletions.of(ctx, r.stream)
	if err != nil || r.count == 0 {
		return err
	}
	if d.gone {
		return eventstore.ErrStreamDeleted
	}
	if d.from > 0 {
		last, err := lastRevision(ctx, s.store, r.stream)
		if err != nil {
			return err
		}
		if d.hides(last) {
			return out.notFound(r.stream)
		}
	}
	from, direction := r.from.value, eventstore.Backwards
	if r.from.end == end {
		from = math.MaxUint64
	}
	if !r.backwards {
		from, direction = max(from, d.from), eventstore.Forwards
	}
	for e, err := range s.store.ReadStream(ctx, r.stream, from, direction, r.limit()) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			return out.notFound(r.stream)
		}
		if err != nil {
			return err
		}
		if e.Revision < d.from {
			return nil
		}
		if err := out.send(&e); err != nil {
			return err
		}
	}
	return nil
}

// readAll tells events of the log. Forwards it begins with the event at the position, backwards with the one before it.
func (s *streams) readAll(r request, out *outgoing) error {
	var from eventstore.Position // forwards the place before the first event, backwards the first event
	switch {
	case r.count == 0, r.backwards && r.from.end == start, !r.backwards && r.from.end == end:
		return nil
	case r.from.end == end:
		from = eventstore.End
	case r.from.value > 0:
		from = eventstore.Position(r.from.value - 1)
	}
	if r.backwards && from == eventstore.Start {
		return nil
	}
	direction, limit, left := eventstore.Forwards, r.limit(), r.count
	if r.backwards {
		direction = eventstore.Backwards
	}
	if r.filter != nil {
		limit = 0 // the store may do less of the filter than all, so what passes is counted here
	}
	for e, err := range s.store.ReadAll(out.call.Context(), from, direction, limit, r.filter.store()) {
		if err != nil {
			return err
		}
		if !r.filter.passes(&e) {
			continue
		}
		if err := out.send(&e); err != nil {
			return err
		}
		if left--; left == 0 {
			return nil
		}
	}
	return nil
}

// limit of a read as the store counts it, where 0 is no limit.
func (r *request) limit() int {
	if r.count > math.MaxInt {
		return 0
	}
	return int(r.count)
}
