package staffing

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// PastMember is a member on duty at some time, as they were then.
type PastMember struct {
	ID        domain.StaffID
	Name      string
	ProfileID domain.ProfileID
	Status    staff.Status
	Since     time.Time
	Slots     []Slot // held at that time
}

var (
	slotTimes = readstore.NewIntervals("fact_slot", "slot_key", "reserved_at", "released_at")
	dutyTimes = readstore.NewIntervals("fact_staff_status", "status_key", "started_at", "ended_at")
	onDutyAt  = `SELECT s.staff_id, coalesce(d.name, s.staff_name), coalesce(d.profile_id, s.profile_id), s.status, s.started_at
		FROM fact_staff_status AS s LEFT JOIN dim_staff AS d
		ON d.staff_id = s.staff_id AND d.valid_from <= ? AND (d.valid_to > ? OR d.valid_to IS NULL)
		WHERE s.status_key IN ` + dutyTimes.Keys + " ORDER BY s.staff_id, s.status_key"
)

// OnDutyAt lists all who were logged in at a time, by id.
func (r *Reader) OnDutyAt(ctx context.Context, at time.Time) ([]PastMember, error) {
	rows, err := r.q.Query(ctx, onDutyAt, append([]any{readstore.At(at), readstore.At(at)}, dutyTimes.At(at)...)...)
	members, err := readstore.Collect(rows, err, func(rows readstore.Rows) (PastMember, error) {
		var m PastMember
		var since readstore.Time
		err := rows.Scan(&m.ID, &m.Name, &m.ProfileID, &m.Status, &since)
		m.Since = since.Time
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who was on duty: %w", err)
	}
	slots, err := slotTable.Select(ctx, r.q, "WHERE slot_key IN "+slotTimes.Keys+" ORDER BY slot_key", slotTimes.At(at)...)
	if err != nil {
		return nil, err
	}
	held := map[domain.StaffID][]Slot{}
	for _, s := range slots {
		held[s.StaffID] = append(held[s.StaffID], Slot{s.SessionID, s.Purpose, s.ReservedAt})
	}
	for i := range members {
		members[i].Slots = held[members[i].ID]
	}
	return members, nil
}
