// Package access answers who read or exported what, and when. It has one row for each reading that left a record in the log,
// and nothing of what was read.
package access

import (
	"context"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// Name of the projection's checkpoint.
const Name = "access"

type accessRow struct {
	AccessKey      int64            `db:"access_key,key"`
	AccessedAt     time.Time        `db:"accessed_at"`
	ReaderID       string           `db:"reader_id"`
	ReaderRole     domain.Role      `db:"reader_role"`
	Kind           access.Kind      `db:"kind"`
	SessionID      domain.SessionID `db:"session_id,null"`
	QueueID        domain.QueueID   `db:"queue_id,null"`
	As             domain.Role      `db:"as_role,null"`
	Format         access.Format    `db:"format"`
	ReplayRevision *int64           `db:"replay_revision"`
	ReplayAt       time.Time        `db:"replay_at,null"`
	Stream         string           `db:"stream"`
	Revision       uint64           `db:"revision"`
}

var accessTable = readstore.NewTable[accessRow]("fact_access", readstore.Append)

// state is nothing: a row follows from its event alone.
type state struct{}

type fold struct{ rows *projections.Lines[accessRow] }

// New makes the projection.
func New() projections.Projection {
	f := &fold{projections.NewLines(accessTable)}
	return projections.New(projections.Definition[state]{
		Name: Name, Prefixes: []string{eventcodec.AccessPrefix}, Load: load, Fold: f.fold, Buffers: []projections.Buffer{f.rows},
	})
}

func (f *fold) fold(_ *state, e *eventcodec.Envelope) error {
	event, ok := e.Event.(access.AccessRecorded)
	if !ok {
		return projections.NotOfStream(e)
	}
	r := f.rows.Add()
	*r = accessRow{
		AccessKey: int64(e.Position), AccessedAt: event.AccessedAt, ReaderID: event.ReaderID, ReaderRole: event.ReaderRole,
		Kind: event.Kind, SessionID: event.SessionID, QueueID: event.QueueID, As: event.As, Format: event.Format,
		Stream: e.Stream, Revision: e.Revision,
	}
	if event.Revision != nil {
		revision := int64(*event.Revision)
		r.ReplayRevision = &revision
	}
	if event.At != nil {
		r.ReplayAt = *event.At
	}
	return nil
}

// load finds where each stream stands. There are few readers, and each is loaded once in the life of an engine.
func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[state], error) {
	out := make(map[string]projections.Loaded[state], len(streams))
	for _, stream := range streams {
		last, err := accessTable.Select(ctx, q, "WHERE stream = ? ORDER BY revision DESC LIMIT 1", stream)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			out[stream] = projections.Loaded[state]{Next: last[0].Revision + 1}
		}
	}
	return out, nil
}
