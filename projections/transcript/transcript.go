// Package transcript answers what was said and done in a session, to each kind of reader: one row an event, numbered for
// each audience by what that audience sees alone, and read through one view an audience. It decides nothing about who sees
// what; package session does, once.
package transcript

import (
	"context"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// Name of the projection's checkpoint.
const Name = "transcript"

type sessionRow struct {
	SessionKey int64  `db:"session_key,key"`
	SessionID  string `db:"session_id"`
}

type entryRow struct {
	SessionKey       int64              `db:"session_key,key"`
	Revision         uint64             `db:"revision,key"`
	EventType        string             `db:"event_type"`
	OccurredAt       time.Time          `db:"occurred_at"`
	Visibility       session.Visibility `db:"visibility"`
	PublicSenderRole domain.Role        `db:"public_sender_role,null"`
	PublicSenderName string             `db:"public_sender_name,null"`
	PublicText       string             `db:"public_text,null"`
	SenderID         string             `db:"sender_id,null"`
	SenderRole       domain.Role        `db:"sender_role,null"`
	SenderName       string             `db:"sender_name,null"`
	StaffText        string             `db:"staff_text,null"`
	CustomerSeq      uint64             `db:"customer_seq,null"`
	AgentSeq         uint64             `db:"agent_seq,null"`
	SupervisorSeq    uint64             `db:"supervisor_seq,null"`
	AuditorSeq       uint64             `db:"auditor_seq,null"`
	OwnStaffID       domain.StaffID     `db:"own_staff_id,null"`
	OwnSeq           uint64             `db:"own_seq,null"`
}

// Tables by what becomes of their rows: an entry is written once, and again when it is redacted.
var (
	sessionTable  = readstore.NewTable[sessionRow]("transcript_session", readstore.Append)
	entryTable    = readstore.NewTable[entryRow]("transcript_entry", readstore.Append)
	redactedTable = readstore.NewTable[entryRow]("transcript_entry", readstore.State)
)

// place is how far a session is: what each audience has seen of it. It is not stored, because the entries tell it.
type place struct {
	key                                  int64
	customer, agent, supervisor, auditor uint64
	own                                  []ownCount
}

type ownCount struct {
	staff domain.StaffID
	count uint64
}

type fold struct {
	sessions *projections.Lines[sessionRow]
	entries  *projections.Lines[entryRow]
	redacted *projections.States[entryRow]
	stored   map[entryKey]*entryRow // entries that are redacted in this batch, as the database has them
}

// New makes the projection.
func New() projections.Projection {
	f := &fold{
		sessions: projections.NewLines(sessionTable),
		entries:  projections.NewLines(entryTable),
		redacted: projections.NewStates(redactedTable),
	}
	return projections.New(projections.Definition[place]{
		Name: Name, Prefixes: []string{eventcodec.SessionPrefix},
		Load: load, Prepare: f.prepare, Fold: f.fold,
		Buffers: []projections.Buffer{f.sessions, f.entries, f.redacted},
	})
}

func (f *fold) fold(p *place, e *eventcodec.Envelope) error {
	event, ok := e.Event.(session.Event)
	if !ok {
		return projections.NotOfStream(e)
	}
	if e.Revision == 0 {
		p.key = int64(e.Position)
		*f.sessions.Add() = sessionRow{SessionKey: p.key, SessionID: string(e.SessionID())}
	}
	row := f.entries.Add()
	row.SessionKey, row.Revision = p.key, e.Revision
	row.EventType, row.OccurredAt = e.Type, e.Metadata.OccurredAt
	row.show(event)
	p.number(row, event)
	if redaction, ok := event.(session.MessageRedacted); ok {
		f.redact(entryKey{p.key, redaction.Revision})
	}
	return nil
}

// show fills in what each audience gets of the event. What staff get is left out where it is what the customer gets.
func (row *entryRow) show(event session.Event) {
	public, visible := session.ForCustomer(event)
	if visible {
		row.PublicText = public.Text
		if public.Sender != nil {
			row.PublicSenderRole, row.PublicSenderName = public.Sender.Role, public.Sender.Name
		}
	}
	staff := session.ForAuditor(event)
	row.Visibility = staff.Visibility
	if staff.Text != row.PublicText {
		row.StaffText = staff.Text
	}
	if staff.Sender == nil {
		return
	}
	row.SenderID = staff.Sender.ID
	if staff.Sender.Role != row.PublicSenderRole {
		row.SenderRole = staff.Sender.Role
	}
	if staff.Sender.Name != row.PublicSenderName {
		row.SenderName = staff.Sender.Name
	}
}

// number counts the event for those who see it.
func (p *place) number(row *entryRow, event session.Event) {
	audience := session.AudienceOf(event)
	count := func(member session.Audience, seen, seq *uint64) {
		if audience&member != 0 {
			*seen++
			*seq = *seen
		}
	}
	count(session.ToCustomer, &p.customer, &row.CustomerSeq)
	count(session.ToAgent, &p.agent, &row.AgentSeq)
	count(session.ToSupervisor, &p.supervisor, &row.SupervisorSeq)
	count(session.ToAuditor, &p.auditor, &row.AuditorSeq)
	if audience&session.ToOwnAgent != 0 {
		row.OwnStaffID = session.Concerns(event)
		row.OwnSeq = p.countOwn(row.OwnStaffID)
	}
}

func (p *place) countOwn(staff domain.StaffID) uint64 {
	for i := range p.own {
		if p.own[i].staff == staff {
			p.own[i].count++
			return p.own[i].count
		}
	}
	p.own = append(p.own, ownCount{staff, 1})
	return 1
}

// load reads how far sessions are from their entries.
func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[place], error) {
	sessions, err := readstore.SelectIn(ctx, q, sessionTable, "session_id", projections.IDs(streams, eventcodec.SessionPrefix), "")
	if err != nil {
		return nil, err
	}
	out := make(map[string]projections.Loaded[place], len(sessions))
	for _, s := range sessions {
		l := projections.Loaded[place]{State: place{key: s.SessionKey}}
		if err := l.State.read(ctx, q, &l.Next); err != nil {
			return nil, err
		}
		out[eventcodec.SessionPrefix+s.SessionID] = l
	}
	return out, nil
}

const (
	readCounts = `SELECT coalesce(max(revision), -1) + 1, coalesce(max(customer_seq), 0), coalesce(max(agent_seq), 0),
		coalesce(max(supervisor_seq), 0), coalesce(max(auditor_seq), 0) FROM transcript_entry WHERE session_key = ?`
	readOwn = `SELECT own_staff_id, max(own_seq) FROM transcript_entry
		WHERE session_key = ? AND own_staff_id IS NOT NULL GROUP BY own_staff_id`
)

func (p *place) read(ctx context.Context, q readstore.Queryer, next *uint64) error {
	rows, err := q.Query(ctx, readCounts, p.key)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(next, &p.customer, &p.agent, &p.supervisor, &p.auditor); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	own, err := q.Query(ctx, readOwn, p.key)
	if err != nil {
		return err
	}
	defer own.Close()
	for own.Next() {
		var o ownCount
		if err := own.Scan(&o.staff, &o.count); err != nil {
			return err
		}
		p.own = append(p.own, o)
	}
	return own.Err()
}
