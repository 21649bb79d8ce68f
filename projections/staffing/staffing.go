// Package staffing answers who is on duty, in which status since when, and which sessions each member has in use; who was,
// at any time; and how the time of each member was spent. Stretches of time that have no end yet are what is so now, so
// reading the present costs nothing for the past.
package staffing

import (
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

// state is a member's row, the version of them that holds, and the stretches of time that have not ended.
type state struct {
	duty    *dutyRow
	version *staffRow
	status  *statusRow // nil while logged out
	slots   []*slotRow
}

type fold struct {
	duties   *projections.States[dutyRow]
	versions *projections.States[staffRow]
	statuses *projections.States[statusRow]
	slots    *projections.States[slotRow]
	quarters *projections.Counters[quarterKey, quarterRow]
}

// New makes the projection.
func New() projections.Projection {
	f := &fold{
		duties:   projections.NewStates(dutyTable),
		versions: projections.NewStates(staffTable),
		statuses: projections.NewStates(statusTable),
		slots:    projections.NewStates(slotTable),
		quarters: projections.NewCounters(quarterTable, func(k quarterKey) quarterRow {
			return quarterRow{AgentID: k.agent, BucketAt: time.UnixMicro(k.at).UTC()}
		}),
	}
	return projections.New(projections.Definition[state]{
		Name: Name, Prefixes: []string{eventcodec.StaffPrefix}, Load: load, Fold: f.fold,
		Emit:    func(s *state) { f.duties.Put(s.duty) },
		Buffers: []projections.Buffer{f.duties, f.versions, f.statuses, f.slots, f.quarters},
	})
}

func (f *fold) fold(s *state, e *eventcodec.Envelope) error {
	at := e.Metadata.OccurredAt
	if s.duty == nil {
		s.duty = &dutyRow{RegisteredAt: at, AccountedUntil: at}
		f.duties.Add(s.duty)
	}
	f.account(s, at)
	switch event := e.Event.(type) {
	case staff.StaffRegistered:
		s.duty.StaffID, s.duty.Name, s.duty.ProfileID = event.StaffID, event.Name, event.ProfileID
		f.renew(s, e)
	case staff.ProfileAssigned:
		s.duty.ProfileID = event.ProfileID
		f.renew(s, e)
	case staff.StaffLoggedIn:
		s.duty.LoggedIn, s.duty.LoggedInAt = true, at
		f.begin(s, e, event.Status, "")
	case staff.StaffLoggedOut:
		f.end(s, at)
		s.duty.LoggedIn, s.duty.LoggedInAt = false, time.Time{}
		s.duty.Status, s.duty.StatusSince = "", at
	case staff.StaffStatusChanged:
		f.begin(s, e, event.Status, event.Reason)
	case staff.SlotReserved:
		f.release(s, event.SessionID, at)
		slot := &slotRow{
			SlotKey: int64(e.Position), StaffID: s.duty.StaffID, SessionID: event.SessionID,
			ReservationID: event.ReservationID, Purpose: event.Purpose, ReservedAt: at,
		}
		s.slots = append(s.slots, slot)
		f.slots.Add(slot)
	case staff.SlotReleased:
		f.release(s, event.SessionID, at)
	default:
		return projections.NotOfStream(e)
	}
	s.duty.Revision, s.duty.SessionsInUse = e.Revision, int64(len(s.slots))
	return nil
}

// renew ends the version of the member that holds and begins the next.
func (f *fold) renew(s *state, e *eventcodec.Envelope) {
	next := &staffRow{
		StaffID: s.duty.StaffID, Revision: e.Revision, Name: s.duty.Name, ProfileID: s.duty.ProfileID,
		RegisteredAt: s.duty.RegisteredAt, ValidFrom: e.Metadata.OccurredAt, IsCurrent: true,
	}
	if last := s.version; last != nil {
		next.ValidFrom = projections.Later(next.ValidFrom, last.ValidFrom)
		last.ValidTo, last.IsCurrent = next.ValidFrom, false
		f.versions.Put(last)
	}
	f.versions.Add(next)
	s.version = next
}

// begin ends the stretch of time in the status before and begins one in the next.
func (f *fold) begin(s *state, e *eventcodec.Envelope, status staff.Status, reason string) {
	at := e.Metadata.OccurredAt
	f.end(s, at)
	s.duty.Status, s.duty.StatusSince = status, at
	s.status = &statusRow{
		StatusKey: int64(e.Position), StaffID: s.duty.StaffID, StaffName: s.duty.Name, ProfileID: s.duty.ProfileID,
		Status: status, StatusType: status.Type(), Reason: reason, StartedAt: at,
	}
	f.statuses.Add(s.status)
}

func (f *fold) end(s *state, at time.Time) {
	if row := s.status; row != nil {
		row.EndedAt, row.StatusMS, row.Span = at, millis(row.StartedAt, at), readstore.Span(row.StartedAt, at)
		f.statuses.Put(row)
		s.status = nil
	}
}

func (f *fold) release(s *state, id domain.SessionID, at time.Time) {
	i := slices.IndexFunc(s.slots, func(slot *slotRow) bool { return slot.SessionID == id })
	if i < 0 {
		return
	}
	row := s.slots[i]
	row.ReleasedAt, row.HeldMS, row.Span = at, millis(row.ReservedAt, at), readstore.Span(row.ReservedAt, at)
	f.slots.Put(row)
	s.slots = slices.Delete(s.slots, i, i+1)
}

// account books the time since the member's last event, in which nothing changed.
func (f *fold) account(s *state, at time.Time) {
	from := s.duty.AccountedUntil
	s.duty.AccountedUntil = projections.Later(at, from)
	var engaged, monitoring int64
	for _, slot := range s.slots {
		switch slot.Purpose {
		case staff.ForEngagement:
			engaged++
		case staff.ForMonitoring:
			monitoring++
		}
	}
	if s.status == nil && engaged == 0 && monitoring == 0 {
		return
	}
	projections.Quarters(from, at, func(quarter time.Time, ms int64) {
		row := f.quarters.At(quarterKey{s.duty.StaffID, quarter.UnixMicro()})
		if s.status != nil {
			row.LoggedInMS += ms
			if s.status.StatusType == staff.TypeAvailable {
				row.AvailableMS += ms
				row.IdleMS += ms * unless(engaged)
			}
		}
		row.BusyMS += ms * (1 - unless(engaged))
		row.SessionMS += ms * engaged
		row.MonitoringMS += ms * monitoring
	})
}

// unless is 1 for none and 0 for some.
func unless(n int64) int64 {
	if n > 0 {
		return 0
	}
	return 1
}
