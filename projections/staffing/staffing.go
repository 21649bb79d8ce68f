// Package staffing answers who is on duty, in which status since when, and which sessions each member has in use. Stretches
// of time that have no end yet are what is so now, so reading the present costs nothing for the past.
package staffing

import (
	"context"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// Name of the projection's checkpoint.
const Name = "staffing"

type staffRow struct {
	StaffID      domain.StaffID   `db:"staff_id,key"`
	Name         string           `db:"name"`
	ProfileID    domain.ProfileID `db:"profile_id"`
	LoggedIn     bool             `db:"logged_in"`
	Status       staff.Status     `db:"status,null"`
	StatusSince  time.Time        `db:"status_since,null"`
	LoggedInAt   time.Time        `db:"logged_in_at,null"`
	RegisteredAt time.Time        `db:"registered_at"`
	ValidFrom    time.Time        `db:"valid_from"`
	Revision     uint64           `db:"revision"`
}

type statusRow struct {
	StatusKey  int64            `db:"status_key,key"`
	StaffID    domain.StaffID   `db:"staff_id"`
	StaffName  string           `db:"staff_name"`
	ProfileID  domain.ProfileID `db:"profile_id"`
	Status     staff.Status     `db:"status"`
	StatusType staff.StatusType `db:"status_type"`
	Reason     string           `db:"reason,null"`
	StartedAt  time.Time        `db:"started_at"`
	EndedAt    time.Time        `db:"ended_at,null"`
}

type slotRow struct {
	SlotKey       int64            `db:"slot_key,key"`
	StaffID       domain.StaffID   `db:"staff_id"`
	SessionID     domain.SessionID `db:"session_id"`
	ReservationID string           `db:"reservation_id"`
	Purpose       staff.Purpose    `db:"purpose"`
	ReservedAt    time.Time        `db:"reserved_at"`
	ReleasedAt    time.Time        `db:"released_at,null"`
}

var (
	staffTable  = readstore.NewTable[staffRow]("dim_staff", readstore.State)
	statusTable = readstore.NewTable[statusRow]("fact_staff_status", readstore.State)
	slotTable   = readstore.NewTable[slotRow]("fact_slot", readstore.State)
)

// state is a member's row, and the stretches of time that have not ended.
type state struct {
	member *staffRow
	status *statusRow // nil while logged out
	slots  []*slotRow
}

type fold struct {
	members  *projections.States[staffRow]
	statuses *projections.States[statusRow]
	slots    *projections.States[slotRow]
}

// New makes the projection.
func New() projections.Projection {
	f := &fold{projections.NewStates(staffTable), projections.NewStates(statusTable), projections.NewStates(slotTable)}
	return projections.New(projections.Definition[state]{
		Name: Name, Prefixes: []string{eventcodec.StaffPrefix}, Load: load, Fold: f.fold,
		Emit:    func(s *state) { f.members.Put(s.member) },
		Buffers: []projections.Buffer{f.members, f.statuses, f.slots},
	})
}

func (f *fold) fold(s *state, e *eventcodec.Envelope) error {
	at := e.Metadata.OccurredAt
	if s.member == nil {
		s.member = &staffRow{RegisteredAt: at}
	}
	switch event := e.Event.(type) {
	case staff.StaffRegistered:
		s.member.StaffID, s.member.Name, s.member.ProfileID, s.member.ValidFrom = event.StaffID, event.Name, event.ProfileID, at
	case staff.ProfileAssigned:
		s.member.ProfileID, s.member.ValidFrom = event.ProfileID, at
	case staff.StaffLoggedIn:
		s.member.LoggedIn, s.member.LoggedInAt = true, at
		f.begin(s, e, event.Status, "")
	case staff.StaffLoggedOut:
		f.end(s, at)
		s.member.LoggedIn, s.member.LoggedInAt = false, time.Time{}
		s.member.Status, s.member.StatusSince = "", at
	case staff.StaffStatusChanged:
		f.begin(s, e, event.Status, event.Reason)
	case staff.SlotReserved:
		f.release(s, event.SessionID, at)
		slot := &slotRow{
			SlotKey: int64(e.Position), StaffID: s.member.StaffID, SessionID: event.SessionID,
			ReservationID: event.ReservationID, Purpose: event.Purpose, ReservedAt: at,
		}
		s.slots = append(s.slots, slot)
		f.slots.Put(slot)
	case staff.SlotReleased:
		f.release(s, event.SessionID, at)
	default:
		return projections.NotOfStream(e)
	}
	s.member.Revision = e.Revision
	return nil
}

// begin ends the stretch of time in the status before and begins one in the next.
func (f *fold) begin(s *state, e *eventcodec.Envelope, status staff.Status, reason string) {
	at := e.Metadata.OccurredAt
	f.end(s, at)
	s.member.Status, s.member.StatusSince = status, at
	s.status = &statusRow{
		StatusKey: int64(e.Position), StaffID: s.member.StaffID, StaffName: s.member.Name, ProfileID: s.member.ProfileID,
		Status: status, StatusType: status.Type(), Reason: reason, StartedAt: at,
	}
	f.statuses.Put(s.status)
}

func (f *fold) end(s *state, at time.Time) {
	if s.status != nil {
		s.status.EndedAt = at
		f.statuses.Put(s.status)
		s.status = nil
	}
}

func (f *fold) release(s *state, id domain.SessionID, at time.Time) {
	i := slices.IndexFunc(s.slots, func(slot *slotRow) bool { return slot.SessionID == id })
	if i < 0 {
		return
	}
	s.slots[i].ReleasedAt = at
	f.slots.Put(s.slots[i])
	s.slots = slices.Delete(s.slots, i, i+1)
}

func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[state], error) {
	ids := projections.IDs(streams, eventcodec.StaffPrefix)
	members, err := readstore.SelectIn(ctx, q, staffTable, "staff_id", ids, "")
	if err != nil {
		return nil, err
	}
	statuses, err := readstore.SelectIn(ctx, q, statusTable, "staff_id", ids, "AND ended_at IS NULL")
	if err != nil {
		return nil, err
	}
	slots, err := readstore.SelectIn(ctx, q, slotTable, "staff_id", ids, "AND released_at IS NULL ORDER BY slot_key")
	if err != nil {
		return nil, err
	}
	states := make(map[domain.StaffID]*state, len(members))
	for _, row := range members {
		states[row.StaffID] = &state{member: row}
	}
	for _, row := range statuses {
		states[row.StaffID].status = row
	}
	for _, row := range slots {
		states[row.StaffID].slots = append(states[row.StaffID].slots, row)
	}
	out := make(map[string]projections.Loaded[state], len(states))
	for id, s := range states {
		out[eventcodec.StaffPrefix+string(id)] = projections.Loaded[state]{State: *s, Next: s.member.Revision + 1}
	}
	return out, nil
}
