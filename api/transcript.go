package api

import (
	"context"
	"fmt"
	"strconv"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

type transcriptResource struct {
	SessionID  domain.SessionID `json:"session_id"`
	Role       domain.Role      `json:"role" enum:"customer,agent,supervisor,auditor"`
	Revision   int64            `json:"revision" doc:"Counts what the role sees"`
	Position   string           `json:"position" doc:"For Chatwatch-After"`
	Incomplete bool             `json:"incomplete,omitempty" doc:"For supervisors and auditors: some events of the session are missing"`
	Entries    []entry          `json:"entries"`
	NextCursor *string          `json:"next_cursor"`
}

// roles of transcripts, the least first.
var transcriptRoles = []struct {
	role domain.Role
	as   session.Audience
}{
	{domain.RoleCustomer, session.ToCustomer}, {domain.RoleAgent, session.ToAgent},
	{domain.RoleSupervisor, session.ToSupervisor}, {domain.RoleAuditor, session.ToAuditor},
}

func roleOf(as session.Audience) (role domain.Role, rank int) {
	for i, r := range transcriptRoles {
		if r.as == as {
			return r.role, i
		}
	}
	return "", -1
}

// readable opens the session of the path for somebody who wants to read what was said, as the role that they ask for.
func (c *call) readable() (view, command.View[session.State], error) {
	v, now, err := c.open()
	if err != nil {
		return v, now, err
	}
	if c.is(domain.RoleStaff, domain.RoleAdmin) {
		if err := v.MayRead(v.standing); err != nil {
			return v, now, err
		}
	}
	v.reader, err = c.lesser(v)
	return v, now, err
}

// lesser is the reader of ?as=, who may not see more than the caller.
func (c *call) lesser(v view) (session.Reader, error) {
	as := c.query("as")
	if as == "" {
		return v.reader, nil
	}
	_, own := roleOf(v.reader.As)
	for rank, r := range transcriptRoles {
		switch {
		case string(r.role) != as:
		case rank > own:
			return session.Reader{}, errNotPermitted
		case rank == own:
			return v.reader, nil
		case r.as == session.ToAgent:
			return session.Reader{As: r.as, StaffID: v.Agent.ID}, nil
		default:
			return session.Reader{As: r.as}, nil
		}
	}
	return session.Reader{}, invalid("as must be customer, agent, supervisor or auditor")
}

func getTranscript(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	v, now, err := c.readable()
	if err != nil {
		return nil, err
	}
	limit, err := c.limit(0, transcript.MaxLimit)
	if err != nil {
		return nil, err
	}
	after, err := c.afterEntry(v.ID)
	if err != nil {
		return nil, err
	}
	if err := c.catchUp(now.Position, c.Limits.SessionWait); err != nil {
		return nil, err
	}
	page, err := c.readPage(v, after, limit)
	if err != nil {
		return nil, err
	}
	media := negotiate(c.http.Header.Get("Accept"))
	answer, err := page.as(media)
	if err != nil {
		return nil, err
	}
	return answer, c.recordView(v, access.OfTranscript, formatOf(media))
}

func (c *call) entryCursors(id domain.SessionID) auth.Series {
	return c.Seals.Series("transcript", string(id))
}

// afterEntry is the revision after which the caller wants to read on, -1 for the beginning.
func (c *call) afterEntry(id domain.SessionID) (int64, error) {
	cursor := c.query("cursor")
	if cursor == "" {
		return -1, nil
	}
	revision, err := c.entryCursors(id).Open(cursor)
	if err != nil || revision > 1<<62 {
		return 0, invalid("cursor is not one that was given out here")
	}
	return int64(revision), nil
}

// readPage reads limit entries, or all of them when limit is 0.
func (c *call) readPage(v view, after int64, limit int) (transcriptResource, error) {
	role, _ := roleOf(v.reader.As)
	out := transcriptResource{SessionID: v.ID, Role: role, Entries: []entry{}}
	rows, err := c.entries(c.ctx(), v, after, limit)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		out.Entries = append(out.Entries, showStored(row))
	}
	if v.oversees() {
		if out.Incomplete, err = c.Transcripts.Incomplete(c.ctx(), v.ID); err != nil {
			return out, err
		}
	}
	out.Revision = v.Revision(v.reader)
	if len(rows) == 0 {
		out.Position = c.positions.Seal(uint64(eventstore.Start))
		return out, nil
	}
	last := rows[len(rows)-1]
	if limit > 0 && len(rows) == limit {
		more, err := c.Transcripts.Query(c.ctx(), v.ID, v.reader, int64(last.Revision), 1)
		if err != nil {
			return out, err
		}
		if len(more) > 0 {
			cursor := c.entryCursors(v.ID).Seal(last.Revision)
			out.NextCursor = &cursor
		}
	}
	if out.NextCursor == nil {
		out.Revision = int64(last.Seq) - 1
	}
	position, err := c.positionOf(v.ID, last.Revision)
	out.Position = c.positions.Seal(uint64(position))
	return out, err
}

func (c *call) entries(ctx context.Context, v view, after int64, limit int) ([]transcript.Entry, error) {
	if limit > 0 {
		return c.Transcripts.Query(ctx, v.ID, v.reader, after, limit)
	}
	var all []transcript.Entry
	for {
		rows, err := c.Transcripts.Query(ctx, v.ID, v.reader, after, transcript.MaxLimit)
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(rows) < transcript.MaxLimit {
			return all, nil
		}
		after = int64(rows[len(rows)-1].Revision)
	}
}

// positionOf finds an event in the log. A transcript stands at the last event that its reader sees: the position of any
// other would tell them of it.
func (c *call) positionOf(id domain.SessionID, revision uint64) (eventstore.Position, error) {
	for recorded, err := range c.Store.ReadStream(c.ctx(), command.SessionStream(id), revision, eventstore.Forwards, 1) {
		if err != nil {
			return 0, fmt.Errorf("find an entry in the log: %w", err)
		}
		return recorded.Position, nil
	}
	return 0, fmt.Errorf("entry %s is not in the log", strconv.FormatUint(revision, 10))
}
