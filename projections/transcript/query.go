package transcript

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// MaxLimit bounds a page.
const MaxLimit = 1000

// Entry of a transcript, as one reader sees it.
type Entry struct {
	// Revision of the event in the session stream. It counts what the reader may not see: for paging only, never shown.
	Revision   uint64
	Seq        uint64 // running number of what the reader sees, from 1
	At         time.Time
	Type       string // wire name of the event
	Visibility session.Visibility
	Sender     *Sender // nil when nobody is named
	Text       string
}

// Sender of an entry. A customer gets no ID of anybody.
type Sender struct {
	ID   string
	Role domain.Role
	Name string
}

// Reader reads transcripts.
type Reader struct{ db readstore.DB }

// NewReader makes a reader of a database.
func NewReader(db readstore.DB) *Reader { return &Reader{db} }

// Each audience has a view of its own, and a query that names its columns.
const (
	customerQuery = `SELECT revision, seq, occurred_at, event_type, visibility, NULL, sender_role, sender_name, text
		FROM transcript_customer WHERE session_id = ? AND revision > ? ORDER BY revision LIMIT ?`
	supervisorQuery = `SELECT revision, seq, occurred_at, event_type, visibility, sender_id, sender_role, sender_name, text
		FROM transcript_supervisor WHERE session_id = ? AND revision > ? ORDER BY revision LIMIT ?`
	auditorQuery = `SELECT revision, seq, occurred_at, event_type, visibility, sender_id, sender_role, sender_name, text
		FROM transcript_auditor WHERE session_id = ? AND revision > ? ORDER BY revision LIMIT ?`
	agentQuery = `SELECT revision, agent_seq, own_seq, occurred_at, event_type, visibility, sender_id, sender_role,
		sender_name, text FROM transcript_agent
		WHERE session_id = ? AND revision > ? AND (own_staff_id IS NULL OR own_staff_id = ?) ORDER BY revision LIMIT ?`
	agentBefore = `SELECT
		coalesce((SELECT agent_seq FROM transcript_agent WHERE session_id = ? AND revision <= ? AND agent_seq IS NOT NULL
			ORDER BY revision DESC LIMIT 1), 0),
		coalesce((SELECT own_seq FROM transcript_agent WHERE session_id = ? AND revision <= ? AND own_staff_id = ?
			ORDER BY revision DESC LIMIT 1), 0)`
)

// Query reads what a reader sees of a session after a revision (-1 for all of it), in order, at most limit entries, which
// is between 1 and MaxLimit. A session that does not exist, and a reader without a role, see nothing.
func (r *Reader) Query(ctx context.Context, id domain.SessionID, reader session.Reader, after int64, limit int) ([]Entry, error) {
	limit = max(1, min(limit, MaxLimit))
	var query string
	switch reader.As {
	case session.ToCustomer:
		query = customerQuery
	case session.ToSupervisor:
		query = supervisorQuery
	case session.ToAuditor:
		query = auditorQuery
	case session.ToAgent:
		return r.forAgent(ctx, id, reader.StaffID, after, limit)
	default:
		return nil, nil
	}
	rows, err := r.db.Query(ctx, query, string(id), after, limit)
	entries, err := readstore.Collect(rows, err, func(rows readstore.Rows) (Entry, error) {
		var e Entry
		return e, e.scan(rows, &e.Seq)
	})
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", err)
	}
	return entries, nil
}

const parkedOf = "SELECT 1 FROM parked_event WHERE projection = ? AND stream = ? LIMIT 1"

// Incomplete tells whether some events of a session could not be taken into its transcript. Whether there are any, and which
// they are, is for those who see all of it.
func (r *Reader) Incomplete(ctx context.Context, id domain.SessionID) (bool, error) {
	rows, err := r.db.Query(ctx, parkedOf, Name, eventcodec.SessionPrefix+string(id))
	found, err := readstore.Collect(rows, err, func(rows readstore.Rows) (n int, err error) { return n, rows.Scan(&n) })
	if err != nil {
		return false, fmt.Errorf("find out what is missing of a transcript: %w", err)
	}
	return len(found) > 0, nil
}

// scan reads the columns of an entry; seq are the targets of what stands for the number.
func (e *Entry) scan(rows readstore.Rows, seq ...any) error {
	var at readstore.Time
	var id, role, name sql.NullString
	targets := append([]any{&e.Revision}, seq...)
	targets = append(targets, &at, &e.Type, &e.Visibility, &id, &role, &name, &e.Text)
	if err := rows.Scan(targets...); err != nil {
		return err
	}
	e.At = at.Time
	if role.Valid {
		e.Sender = &Sender{ID: id.String, Role: domain.Role(role.String), Name: name.String}
	}
	return nil
}

// forAgent numbers what an agent sees: the entries that every agent of the session sees, and those that concern them.
// What came before the page never changes, so the two queries need not see the same moment.
func (r *Reader) forAgent(ctx context.Context, id domain.SessionID, staff domain.StaffID, after int64, limit int) ([]Entry, error) {
	var shared, own uint64
	if after >= 0 {
		rows, err := r.db.Query(ctx, agentBefore, string(id), after, string(id), after, string(staff))
		_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
			return struct{}{}, rows.Scan(&shared, &own)
		})
		if err != nil {
			return nil, fmt.Errorf("read transcript: %w", err)
		}
	}
	rows, err := r.db.Query(ctx, agentQuery, string(id), after, string(staff), limit)
	entries, err := readstore.Collect(rows, err, func(rows readstore.Rows) (Entry, error) {
		var e Entry
		var sharedSeq, ownSeq *uint64
		if err := e.scan(rows, &sharedSeq, &ownSeq); err != nil {
			return e, err
		}
		if sharedSeq != nil {
			shared = *sharedSeq
		}
		if ownSeq != nil {
			own = *ownSeq
		}
		e.Seq = shared + own
		return e, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", err)
	}
	return entries, nil
}
