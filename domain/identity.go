package domain

import "time"

// StaffID, QueueID and ProfileID are given by the caller: [a-z0-9][a-z0-9._-]{0,63}. SessionID is a UUIDv7 in its
// 36-character form.
type (
	StaffID   string
	QueueID   string
	ProfileID string
	SessionID string
)

// MaxIDLength bounds the identifiers that callers give, in bytes.
const MaxIDLength = 64

// ValidID tells whether an identifier given by a caller has the form [a-z0-9][a-z0-9._-]{0,63}.
func ValidID(id string) bool {
	if id == "" || len(id) > MaxIDLength {
		return false
	}
	for i, c := range []byte(id) {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

// Role is what somebody is, by their token or in a session.
type Role string

// Roles. RoleSystem is the product itself, acting for nobody.
const (
	RoleAdmin      Role = "admin"
	RoleStaff      Role = "staff"
	RoleCustomer   Role = "customer"
	RoleAuditor    Role = "auditor"
	RoleSystem     Role = "system"
	RoleAgent      Role = "agent"
	RoleSupervisor Role = "supervisor"
)

// Actor is who caused an event.
type Actor struct {
	ID   string
	Role Role
}

// System is the actor of what the product does by itself.
var System = Actor{ID: "chatwatch", Role: RoleSystem}

// Millis is a duration in whole milliseconds, the unit of every duration that is stored or sent.
type Millis int64

// Duration converts to the standard type.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// MillisBetween is the time from a to b in whole milliseconds, never negative.
func MillisBetween(a, b time.Time) Millis {
	if a.IsZero() || b.Before(a) {
		return 0
	}
	return Millis(b.Sub(a).Milliseconds())
}
