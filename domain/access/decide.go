package access

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

// OneReading is how long the pages of one reading count as one.
const OneReading = time.Minute

// Read is a command: somebody who may read something is about to be given it.
type Read struct {
	Reader    domain.Actor
	Kind      Kind
	SessionID domain.SessionID
	QueueID   domain.QueueID
	As        domain.Role
	Format    Format
	Revision  *uint64
	At        *time.Time
	// Serves says that the reader is the agent of the session, or may become it: they read what they work on.
	Serves     bool
	AccessedAt time.Time
}

// Decide answers with the record that the reading leaves, or with none: customers read their own words, and agents what they
// work on, unless they take it away in another form. No record depends on those before it, so there is no state.
func Decide(c Read) []Event {
	switch c.Reader.Role {
	case domain.RoleAuditor, domain.RoleAdmin:
	case domain.RoleStaff:
		if c.Serves && !c.Format.Exports() {
			return nil
		}
	default:
		return nil
	}
	return []Event{AccessRecorded{
		ReaderID: c.Reader.ID, ReaderRole: c.Reader.Role, Kind: c.Kind, SessionID: c.SessionID, QueueID: c.QueueID,
		As: c.As, Format: c.Format, Revision: c.Revision, At: c.At, AccessedAt: c.AccessedAt,
	}}
}
