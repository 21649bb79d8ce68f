package wire

import (
	"math"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// request is what a call of Read asks for.
type request struct {
	stream    string // "" for $all
	from      place
	backwards bool
	follow    bool   // a subscription
	count     uint64 // at most so many events; not of a subscription
	filter    *filter
	textIDs   bool
}

// place is where a read begins, or after which a subscription does: a revision, a position, or one of both ends.
type place struct {
	end   endOf
	value uint64
}

type endOf uint8

const (
	neither endOf = iota
	start
	end
)

// at is a place by its number, the greatest of which clients use for the end.
func at(value uint64) place {
	if value == math.MaxUint64 {
		return place{end: end}
	}
	return place{value: value}
}

// newRequest takes a request apart. Clients leave inner messages out, so options are known by which of them is there.
func newRequest(req *api.ReadReq) (r request, err error) {
	o := req.GetOptions()
	r.backwards = o.GetReadDirection() == api.ReadReq_Options_Backwards
	_, r.textIDs = o.GetUuidOption().GetContent().(*api.ReadReq_Options_UUIDOption_String_)
	switch count := o.GetCountOption().(type) {
	case *api.ReadReq_Options_Count:
		r.count = count.Count
	case *api.ReadReq_Options_Subscription:
		r.follow = true
	default:
		return r, invalid("a read has a count, or is a subscription")
	}
	switch what := o.GetStreamOption().(type) {
	case *api.ReadReq_Options_Stream:
		err = r.ofStream(what.Stream)
	case *api.ReadReq_Options_All:
		err = r.ofAll(what.All)
	default:
		err = invalid("a read is of a stream or of $all")
	}
	if err != nil {
		return r, err
	}
	if f, ok := o.GetFilterOption().(*api.ReadReq_Options_Filter); ok {
		if r.filter, err = newFilter(f.Filter); err != nil {
			return r, err
		}
	}
	return r, r.check()
}

func (r *request) ofStream(o *api.ReadReq_Options_StreamOptions) (err error) {
	if r.stream, err = named(o.GetStreamIdentifier()); err != nil {
		return err
	}
	switch from := o.GetRevisionOption().(type) {
	case *api.ReadReq_Options_StreamOptions_Revision:
		r.from = at(from.Revision)
	case *api.ReadReq_Options_StreamOptions_Start:
		r.from.end = start
	case *api.ReadReq_Options_StreamOptions_End:
		r.from.end = end
	default:
		return invalid("a read of a stream begins at a revision, the start or the end")
	}
	return nil
}

func (r *request) ofAll(o *api.ReadReq_Options_AllOptions) error {
	switch from := o.GetAllOption().(type) {
	case *api.ReadReq_Options_AllOptions_Position:
		r.from = at(from.Position.GetCommitPosition())
	case *api.ReadReq_Options_AllOptions_Start:
		r.from.end = start
	case *api.ReadReq_Options_AllOptions_End:
		r.from.end = end
	default:
		return invalid("a read of $all begins at a position, the start or the end")
	}
	return nil
}

// check refuses combinations that have no meaning.
func (r *request) check() error {
	switch {
	case r.filter != nil && r.stream != "":
		return invalid("a filter is for $all")
	case r.follow && r.backwards:
		return invalid("a subscription goes forwards")
	case r.follow && r.filter != nil && r.filter.interval == 0:
		return invalid("a filtered subscription has a window and an interval of checkpoints")
	}
	return nil
}
