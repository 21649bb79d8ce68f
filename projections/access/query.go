package access

import (
	"context"
	"strings"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Access is one reading.
type Access struct {
	Key            int64 // with AccessedAt the place in the list; never shown
	AccessedAt     time.Time
	Reader         domain.Actor
	Kind           access.Kind
	SessionID      domain.SessionID // "" for several
	QueueID        domain.QueueID
	As             domain.Role // "" where there is one view
	Format         access.Format
	ReplayRevision *int64    // nil unless it was asked for
	ReplayAt       time.Time // zero unless it was asked for
}

// Place is where this reading stands in the list.
func (a Access) Place() Place { return Place{a.AccessedAt, a.Key} }

// Place in the list, between two readings. The zero place is before the latest.
type Place struct {
	At  time.Time
	Key int64
}

// Filter selects readings; zero fields select all.
type Filter struct {
	Reader  string
	Session domain.SessionID
	Kind    access.Kind
	// From and To: those in [From, To).
	From, To time.Time
}

// Reader reads who read what.
type Reader struct{ q readstore.Queryer }

// NewReader makes a reader of a database, or of a moment of it.
func NewReader(q readstore.Queryer) *Reader { return &Reader{q} }

// MaxLimit bounds a page.
const MaxLimit = 1000

// List lists readings, latest first: those after a place, at most limit.
func (r *Reader) List(ctx context.Context, f Filter, after Place, limit int) ([]Access, error) {
	where, args := f.where(after)
	query := "ORDER BY accessed_at DESC, access_key DESC LIMIT ?"
	if len(where) > 0 {
		query = "WHERE " + strings.Join(where, " AND ") + " " + query
	}
	rows, err := accessTable.Select(ctx, r.q, query, append(args, max(1, min(limit, MaxLimit)))...)
	if err != nil {
		return nil, err
	}
	out := make([]Access, len(rows))
	for i, row := range rows {
		out[i] = Access{
			Key: row.AccessKey, AccessedAt: row.AccessedAt, Reader: domain.Actor{ID: row.ReaderID, Role: row.ReaderRole}, Kind: row.Kind,
			SessionID: row.SessionID, QueueID: row.QueueID, As: row.As, Format: row.Format,
			ReplayRevision: row.ReplayRevision, ReplayAt: row.ReplayAt,
		}
	}
	return out, nil
}

// where is the condition. Each combination has an index that leads to its rows in their order. Of a session there are few, so
// its index is the one to use, and what narrows them further is written so that no other can be.
func (f Filter) where(after Place) (where []string, args []any) {
	add := func(condition string, use bool, values ...any) {
		if use {
			where, args = append(where, condition), append(args, values...)
		}
	}
	ofSession := f.Session != ""
	add("session_id = ?", ofSession, string(f.Session))
	add("reader_id = ?", f.Reader != "" && !ofSession, f.Reader)
	add("kind = ?", f.Kind != "" && !ofSession, string(f.Kind))
	add("reader_id || '' = ?", f.Reader != "" && ofSession, f.Reader)
	add("kind || '' = ?", f.Kind != "" && ofSession, string(f.Kind))
	add("accessed_at >= ?", !f.From.IsZero(), readstore.At(f.From))
	// The lower of two bounds implies the other, and a database may begin at either.
	goesOn := after.Key > 0 && (f.To.IsZero() || after.At.Before(f.To))
	add("(accessed_at, access_key) < (?, ?)", goesOn, readstore.At(after.At), after.Key)
	add("accessed_at < ?", !goesOn && !f.To.IsZero(), readstore.At(f.To))
	return where, args
}
