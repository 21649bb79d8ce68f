package staffing

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

type staffRow struct {
	StaffID      domain.StaffID   `db:"staff_id,key"`
	Revision     uint64           `db:"revision,key"`
	Name         string           `db:"name"`
	ProfileID    domain.ProfileID `db:"profile_id"`
	RegisteredAt time.Time        `db:"registered_at"`
	ValidFrom    time.Time        `db:"valid_from"`
	ValidTo      time.Time        `db:"valid_to,null"`
	IsCurrent    bool             `db:"is_current"`
}

type dutyRow struct {
	StaffID        domain.StaffID   `db:"staff_id,key"`
	Name           string           `db:"name"`
	ProfileID      domain.ProfileID `db:"profile_id"`
	LoggedIn       bool             `db:"logged_in"`
	Status         staff.Status     `db:"status,null"`
	StatusSince    time.Time        `db:"status_since,null"`
	LoggedInAt     time.Time        `db:"logged_in_at,null"`
	RegisteredAt   time.Time        `db:"registered_at"`
	Revision       uint64           `db:"revision"`
	AccountedUntil time.Time        `db:"accounted_until,null"`
	SessionsInUse  int64            `db:"sessions_in_use"`
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
	StatusMS   *int64           `db:"status_ms"`
	Span       *int64           `db:"span"`
}

type slotRow struct {
	SlotKey       int64            `db:"slot_key,key"`
	StaffID       domain.StaffID   `db:"staff_id"`
	SessionID     domain.SessionID `db:"session_id"`
	ReservationID string           `db:"reservation_id"`
	Purpose       staff.Purpose    `db:"purpose"`
	ReservedAt    time.Time        `db:"reserved_at"`
	ReleasedAt    time.Time        `db:"released_at,null"`
	HeldMS        *int64           `db:"held_ms"`
	Span          *int64           `db:"span"`
}

type quarterKey struct {
	agent domain.StaffID
	at    int64 // microseconds
}

type quarterRow struct {
	AgentID      domain.StaffID `db:"agent_id,key"`
	BucketAt     time.Time      `db:"bucket_at,key"`
	LoggedInMS   int64          `db:"logged_in_ms"`
	AvailableMS  int64          `db:"available_ms"`
	BusyMS       int64          `db:"busy_ms"`
	SessionMS    int64          `db:"session_ms"`
	IdleMS       int64          `db:"idle_ms"`
	MonitoringMS int64          `db:"monitoring_ms"`
}

var (
	staffTable   = readstore.NewTable[staffRow]("dim_staff", readstore.State)
	dutyTable    = readstore.NewTable[dutyRow]("staff_duty", readstore.State)
	statusTable  = readstore.NewTable[statusRow]("fact_staff_status", readstore.State)
	slotTable    = readstore.NewTable[slotRow]("fact_slot", readstore.State)
	quarterTable = readstore.NewTable[quarterRow]("agent_time_15m", readstore.Counter)
)

func millis(from, to time.Time) *int64 {
	ms := int64(domain.MillisBetween(from, to))
	return &ms
}
