// Package command carries commands to their streams: it loads a stream's state, asks the decider, appends what it decided,
// and tries again when somebody was faster. Flows that touch two streams (a slot on the staff stream, the act on the
// session stream) are here too, in the order that leaves nothing wrong when the process dies between them. It makes no
// rule of its own: those are in domain.
package command

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

// Request is what is known of a command beside what it asks.
type Request struct {
	// ID is the same whenever the same request is sent again; ids of events and reservations derive from it.
	ID uuid.UUID
	// Hash of what was asked, to tell a repeated request from another one under the same key. Empty for a request that
	// cannot be repeated: then ID is random and is not remembered.
	Hash          string
	Actor         domain.Actor
	CorrelationID string
	CausationID   string // what led to it; the request itself when empty
	At            time.Time
	// IfMatch is the revision, as the caller sees it, that the resource must have; nil for any.
	IfMatch *int64
}

// derive makes the request of a follow-up in another stream: same origin, own identity, no condition. It is not remembered:
// what follows up is harmless when it is done twice, and has to be done again when it was undone since.
func (r Request) derive(name string) Request {
	r.ID = uuid.NewSHA1(r.ID, []byte(name))
	r.Hash, r.IfMatch = "", nil
	return r
}

// eventID names the event that the request appends at a revision: the same again for the same append, never for another. What
// was asked and when are part of it: a node that does not know that another has carried the request out has to be refused
// by the store, and not be given the other's answer for events of its own.
func (r Request) eventID(stream string, revision int64) uuid.UUID {
	name := make([]byte, 0, len(stream)+len(r.Hash)+16)
	name = append(append(name, stream...), r.Hash...)
	name = binary.BigEndian.AppendUint64(name, uint64(r.At.UnixNano()))
	return uuid.NewSHA1(r.ID, binary.BigEndian.AppendUint64(name, uint64(revision)))
}

func (r Request) metadata() eventcodec.Metadata {
	m := eventcodec.Metadata{
		CorrelationID: r.CorrelationID, CausationID: r.CausationID, Actor: r.Actor, OccurredAt: r.At, RequestHash: r.Hash,
	}
	id := r.ID.String()
	if r.Hash != "" {
		m.CommandID = id
	}
	if m.CausationID == "" {
		m.CausationID = id
	}
	if m.CorrelationID == "" {
		m.CorrelationID = id
	}
	return m
}

// reservationID names the slot that a request takes.
func (r Request) reservationID() string { return uuid.NewSHA1(r.ID, []byte("reservation")).String() }
