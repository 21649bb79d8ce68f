package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// parkedRow is an event that a projection has left out.
type parkedRow struct {
	Projection string    `db:"projection,key"`
	Position   int64     `db:"position,key"`
	Stream     string    `db:"stream"`
	Revision   int64     `db:"revision"`
	EventType  string    `db:"event_type"`
	RecordedAt time.Time `db:"recorded_at"`
	Cause      string    `db:"cause"`
}

var parkedTable = readstore.NewTable[parkedRow]("parked_event", readstore.Append)

// ParkedStream is a stream of which a projection leaves out events.
type ParkedStream struct {
	Projection string
	Stream     string
	Since      eventstore.Position // of the first event that was left out
	Events     int
	Cause      string // why the first could not be folded; without anything that people wrote
}

// Parked lists what the projections of a database have left out, oldest first, at most limit streams.
func Parked(ctx context.Context, db readstore.DB, limit int) ([]ParkedStream, error) {
	const query = `SELECT s.projection, s.stream, s.since, s.events, p.cause
		FROM (SELECT projection, stream, min(position) AS since, count(*) AS events FROM parked_event
		      GROUP BY projection, stream) AS s
		JOIN parked_event AS p ON p.projection = s.projection AND p.position = s.since
		ORDER BY s.since, s.projection LIMIT ?`
	rows, err := db.Query(ctx, query, limit)
	if err != nil {
		return nil, fmt.Errorf("list parked events: %w", err)
	}
	defer rows.Close()
	var out []ParkedStream
	for rows.Next() {
		var p ParkedStream
		var since int64
		if err := rows.Scan(&p.Projection, &p.Stream, &since, &p.Events, &p.Cause); err != nil {
			return nil, fmt.Errorf("list parked events: %w", err)
		}
		p.Since = eventstore.Position(since)
		out = append(out, p)
	}
	return out, rows.Err()
}

func parkedStreams(ctx context.Context, q readstore.Queryer, projection string) (map[string]bool, error) {
	rows, err := q.Query(ctx, "SELECT DISTINCT stream FROM parked_event WHERE projection = ?", projection)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	streams := map[string]bool{}
	for rows.Next() {
		var stream string
		if err := rows.Scan(&stream); err != nil {
			return nil, err
		}
		streams[stream] = true
	}
	return streams, rows.Err()
}

// batchPlan is what a projection does with a batch: the events that it folds, and those that it leaves out.
type batchPlan struct {
	events []*eventcodec.Envelope
	parked []*parkedRow
	failed map[string]failure // by stream, found in this batch
}

// foldBatch collects the rows of a batch, leaving out what cannot be folded.
func (r *runner) foldBatch(ctx context.Context, q readstore.Queryer, b *Batch) error {
	r.pending.failed = nil
	if r.refused != nil {
		r.pending.fail(*r.refused)
	}
	for {
		r.plan(b)
		failures, err := r.fold(ctx, q, r.pending.events)
		if err != nil || len(failures) == 0 {
			return err
		}
		r.forget()
		for _, f := range failures {
			r.pending.fail(f)
		}
	}
}

func (p *batchPlan) fail(f failure) {
	if p.failed == nil {
		p.failed = map[string]failure{}
	}
	p.failed[f.stream] = f
}

// plan sorts the events of a batch into those to fold and those to leave out.
func (r *runner) plan(b *Batch) {
	p := &r.pending
	p.events, p.parked = p.events[:0], nil
	for i := range b.Events {
		e := &b.Events[i]
		if e.Position <= r.folded || !r.handles(e.Stream) {
			continue
		}
		if cause := r.leaveOut(e); cause != "" {
			p.parked = append(p.parked, &parkedRow{
				Projection: r.Name(), Position: int64(e.Position), Stream: e.Stream, Revision: int64(e.Revision),
				EventType: e.Type, RecordedAt: e.RecordedAt, Cause: cause,
			})
			continue
		}
		p.events = append(p.events, &e.Envelope)
	}
}

// leaveOut says why an event is not folded, "" when it is.
func (r *runner) leaveOut(e *Decoded) string {
	if e.Err == nil && len(r.parked) == 0 && len(r.pending.failed) == 0 {
		return ""
	}
	if r.parked[e.Stream] {
		return "behind an event that was left out"
	}
	f, failed := r.pending.failed[e.Stream]
	switch {
	case failed && e.Revision == f.revision:
		return f.cause
	case failed && e.Revision > f.revision:
		return "behind an event that was left out"
	case e.Err != nil:
		cause := undecodable(e.Err)
		r.pending.fail(failure{e.Stream, e.Revision, cause})
		return cause
	}
	return ""
}

// undecodable tells why without quoting the event.
func undecodable(err error) string {
	if unknown, ok := errors.AsType[*eventcodec.UnknownEvent](err); ok {
		return unknown.Error()
	}
	return "the event cannot be decoded"
}

// keep notes the streams that a batch has parked.
func (r *runner) keep() {
	for stream := range r.pending.failed {
		r.parked[stream] = true
	}
}
