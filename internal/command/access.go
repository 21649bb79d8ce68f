package command

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// readingsKept bounds how many readings are recognised when they go on.
const readingsKept = 16 << 10

// readers is the namespace of the streams of readers whose names cannot be part of a stream's.
var readers = uuid.MustParse("c8f3f0d6-6a3e-4f0e-9b57-1d2c3b9a4e10")

// accesses appends who reads what. The streams are only added to and nothing is decided on them, so no state is kept.
type accesses struct {
	store  eventstore.Store
	recent *lru.Cache[reading, time.Time] // when it was recorded
}

// reading is what makes two calls the same reading.
type reading struct {
	by       domain.Actor
	kind     access.Kind
	session  domain.SessionID
	queue    domain.QueueID
	as       domain.Role
	format   access.Format
	revision int64 // -1 for none
	at       int64 // in microseconds
	narrowed string
}

func newAccesses(store eventstore.Store) (*accesses, error) {
	recent, err := lru.New[reading, time.Time](readingsKept)
	if err != nil {
		return nil, fmt.Errorf("command: cache of readings: %w", err)
	}
	return &accesses{store, recent}, nil
}

// AccessStream names the stream of a reader. What a token calls its bearer can be longer than a stream's name, and of
// characters that do not belong there; such a reader's stream is named by a hash.
func AccessStream(readerID string) string {
	if !domain.ValidID(readerID) {
		readerID = uuid.NewSHA1(readers, []byte(readerID)).String()
	}
	return eventcodec.AccessPrefix + readerID
}

// RecordAccess records that the actor of a request is about to be given something to read, if that leaves a record at all,
// durably before it returns: who cannot be recorded must not be answered, which is eventstore.ErrUnavailable whatever the
// reason. Reader and AccessedAt of the reading are taken from the request. Narrowed is what else tells this reading from
// others, such as the filters of a list; it is not stored. When the same has been recorded within access.OneReading, it is
// the next page of one reading, except of an export. The position is that of the record, or eventstore.Start when there is
// no new one.
func (s *Service) RecordAccess(ctx context.Context, r Request, read access.Read, narrowed string) (eventstore.Position, error) {
	read.Reader, read.AccessedAt = r.Actor, r.At
	events := access.Decide(read)
	if len(events) == 0 {
		return eventstore.Start, nil
	}
	key := readingOf(read, narrowed)
	if !read.Format.Exports() && s.accesses.goesOn(key, read.AccessedAt) {
		return eventstore.Start, nil
	}
	stream := AccessStream(read.Reader.ID)
	encoded, err := encode(stream, 0, r, events)
	if err != nil {
		return eventstore.Start, err
	}
	done, err := s.accesses.store.Append(ctx, stream, eventstore.Any, encoded)
	if err != nil {
		if ctx.Err() != nil {
			return eventstore.Start, ctx.Err() // nobody waits for the answer any more
		}
		return eventstore.Start, fmt.Errorf("record an access: %w: %w", eventstore.ErrUnavailable, err)
	}
	s.accesses.recent.Add(key, read.AccessedAt)
	return done.Position, nil
}

func (a *accesses) goesOn(key reading, at time.Time) bool {
	recorded, known := a.recent.Get(key)
	return known && !at.Before(recorded) && at.Before(recorded.Add(access.OneReading))
}

func readingOf(read access.Read, narrowed string) reading {
	key := reading{
		by: read.Reader, kind: read.Kind, session: read.SessionID, queue: read.QueueID, as: read.As, format: read.Format,
		revision: -1, narrowed: narrowed,
	}
	if read.Revision != nil {
		key.revision = int64(*read.Revision)
	}
	if read.At != nil {
		key.at = read.At.UnixMicro()
	}
	return key
}
