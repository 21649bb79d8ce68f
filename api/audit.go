package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// maxAuditPage bounds a page of raw events.
const maxAuditPage = 1000

type auditEvents struct {
	Events     []auditEvent `json:"events"`
	NextCursor *string      `json:"next_cursor"`
}

// auditEvent is an event as the log holds it, for auditors.
type auditEvent struct {
	Revision   uint64          `json:"revision"`
	Position   uint64          `json:"position"`
	EventID    string          `json:"event_id"`
	Type       string          `json:"type"`
	RecordedAt timestamp       `json:"recorded_at"`
	Data       json.RawMessage `json:"data"`
	Metadata   json.RawMessage `json:"metadata"`
}

func getAuditEvents(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	id, err := c.sessionID()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit(maxAuditPage, maxAuditPage)
	if err != nil {
		return nil, err
	}
	cursors := c.Seals.Series("audit", string(id))
	var from uint64
	if cursor := c.query("cursor"); cursor != "" {
		if from, err = cursors.Open(cursor); err != nil || from > 1<<62 {
			return nil, invalid("cursor is not one that was given out here")
		}
	}
	out := auditEvents{Events: []auditEvent{}}
	for recorded, err := range c.Store.ReadStream(c.ctx(), command.SessionStream(id), from, eventstore.Forwards, limit+1) {
		if errors.Is(err, eventstore.ErrStreamNotFound) {
			return nil, errNotFound("session")
		}
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if len(out.Events) == limit {
			cursor := cursors.Seal(recorded.Revision)
			out.NextCursor = &cursor
			break
		}
		out.Events = append(out.Events, auditEvent{
			Revision: recorded.Revision, Position: uint64(recorded.Position), EventID: recorded.ID.String(), Type: recorded.Type,
			RecordedAt: timestamp(recorded.RecordedAt), Data: recorded.Data, Metadata: recorded.Metadata,
		})
	}
	return ok(out), c.record(access.Read{Kind: access.OfEvents, SessionID: id, As: domain.RoleAuditor, Format: access.JSON})
}

// replayed is a session as it was.
type replayed struct {
	SessionID  domain.SessionID   `json:"session_id"`
	Revision   int64              `json:"revision"`
	AsOf       timestamp          `json:"as_of" doc:"When the last event that counts happened"`
	State      sessionResource    `json:"state"`
	Transcript transcriptResource `json:"transcript"`
}

func getReplay(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	id, err := c.sessionID()
	if err != nil {
		return nil, err
	}
	until, err := c.until()
	if err != nil {
		return nil, err
	}
	now, err := c.Service.Session(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	switch {
	case now.State.Phase == "":
		return nil, errNotFound("session")
	case until.revision > now.Revision:
		return nil, invalid("the session has not come to that revision")
	}
	out, err := c.replayUntil(id, until)
	switch {
	case err != nil:
		return nil, err
	case out.Revision < 0:
		return nil, errNotFound("session at that time")
	}
	return ok(out), c.record(until.read(id, now.State.Queue.ID))
}

// until is the end of a replay: a revision, -1 for none, or a time, zero for none.
type until struct {
	revision int64
	at       time.Time
}

// read is the record of a replay.
func (u until) read(id domain.SessionID, queue domain.QueueID) access.Read {
	r := access.Read{Kind: access.OfReplay, SessionID: id, QueueID: queue, As: domain.RoleAuditor, Format: access.JSON}
	if u.revision >= 0 {
		revision := uint64(u.revision)
		r.Revision = &revision
	}
	if !u.at.IsZero() {
		r.At = &u.at
	}
	return r
}

func (u until) includes(e eventcodec.Envelope) bool {
	if u.revision >= 0 && int64(e.Revision) > u.revision {
		return false
	}
	// Times are given out in milliseconds: what happened within one belongs to it.
	return u.at.IsZero() || !e.Metadata.OccurredAt.Truncate(time.Millisecond).After(u.at)
}

func (c *call) until() (until, error) {
	out := until{revision: -1}
	at, given, err := c.instant("at")
	if err != nil {
		return out, err
	}
	out.at = at
	if text := c.query("revision"); text != "" {
		if given {
			return out, invalid("revision and at exclude each other")
		}
		revision, err := strconv.ParseUint(text, 10, 62)
		if err != nil {
			return out, invalid("revision must be a number from 0")
		}
		out.revision = int64(revision)
	}
	return out, nil
}

// replayUntil folds the stream again, as everything that is shown of a session is folded.
func (c *call) replayUntil(id domain.SessionID, end until) (replayed, error) {
	v := view{reader: session.Reader{As: session.ToAuditor}}
	out := replayed{SessionID: id, Revision: -1}
	entries := []entry{}
	revisions := map[uint64]int{}
	var position eventstore.Position
	err := c.replay(id, func(e eventcodec.Envelope, event session.Event) bool {
		if !end.includes(e) {
			return false
		}
		v.State = session.Evolve(v.State, event)
		revisions[e.Revision] = len(entries)
		entries = append(entries, showEntry(e, event, v.reader, v.Seen(v.reader)))
		if redaction, ok := event.(session.MessageRedacted); ok {
			if i, ok := revisions[redaction.Revision]; ok {
				entries[i].Text = ""
			}
		}
		out.Revision, out.AsOf, position = int64(e.Revision), timestamp(e.Metadata.OccurredAt), e.Position
		return true
	})
	out.State = v.show()
	out.Transcript = transcriptResource{
		SessionID: id, Role: domain.RoleAuditor, Revision: out.Revision, Position: c.positions.Seal(uint64(position)), Entries: entries,
	}
	return out, err
}
