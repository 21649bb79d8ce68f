package staffing

import (
	"context"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Member of the staff, as they are now. Their limit stands in their profile.
type Member struct {
	ID           domain.StaffID
	Name         string
	ProfileID    domain.ProfileID
	LoggedIn     bool
	Status       staff.Status // "" while logged out
	StatusSince  time.Time    // of the last change of status, login or logout; zero before the first login
	LoggedInAt   time.Time    // zero while logged out
	RegisteredAt time.Time
	Revision     uint64 // of the member's stream
	Slots        []Slot // sessions in use, in the order of their reservation
}

// Slot is a session in use.
type Slot struct {
	SessionID  domain.SessionID
	Purpose    staff.Purpose
	ReservedAt time.Time
}

// Reader reads the staff.
type Reader struct{ q readstore.Queryer }

// NewReader makes a reader of a database, or of a moment of it.
func NewReader(q readstore.Queryer) *Reader { return &Reader{q} }

// MaxLimit bounds a page.
const MaxLimit = 1000

// Staff lists members by id, those after an id ("" for the first), at most limit, with their slots.
func (r *Reader) Staff(ctx context.Context, after domain.StaffID, limit int) ([]Member, error) {
	limit = max(1, min(limit, MaxLimit))
	return r.members(ctx, "WHERE staff_id > ? ORDER BY staff_id LIMIT ?", string(after), limit)
}

// Member gives one member, nil when there is none of that id.
func (r *Reader) Member(ctx context.Context, id domain.StaffID) (*Member, error) {
	members, err := r.members(ctx, "WHERE staff_id = ?", string(id))
	if err != nil || len(members) == 0 {
		return nil, err
	}
	return &members[0], nil
}

// OnDuty lists all who are logged in, by id.
func (r *Reader) OnDuty(ctx context.Context) ([]Member, error) {
	return r.members(ctx, "WHERE logged_in ORDER BY staff_id")
}

func (r *Reader) members(ctx context.Context, where string, args ...any) ([]Member, error) {
	rows, err := dutyTable.Select(ctx, r.q, where, args...)
	if err != nil {
		return nil, err
	}
	out, ids := make([]Member, len(rows)), make([]domain.StaffID, len(rows))
	at := make(map[domain.StaffID]int, len(rows))
	for i, row := range rows {
		out[i] = Member{
			ID: row.StaffID, Name: row.Name, ProfileID: row.ProfileID, LoggedIn: row.LoggedIn, Status: row.Status,
			StatusSince: row.StatusSince, LoggedInAt: row.LoggedInAt, RegisteredAt: row.RegisteredAt, Revision: row.Revision,
		}
		ids[i], at[row.StaffID] = row.StaffID, i
	}
	slots, err := readstore.SelectIn(ctx, r.q, slotTable, "staff_id", ids, "AND released_at IS NULL ORDER BY slot_key")
	if err != nil {
		return nil, err
	}
	for _, s := range slots {
		m := &out[at[s.StaffID]]
		m.Slots = append(m.Slots, Slot{s.SessionID, s.Purpose, s.ReservedAt})
	}
	return out, nil
}
