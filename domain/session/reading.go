package session

import "github.com/chatwatch/chatwatch/domain"

// ReaderFor says as whom a staff member reads the session. Who serves it, or is asked to, reads as its agent, whatever else
// their profile allows: a supervisor who takes a chat is not to learn that they are being watched.
func (s State) ReaderFor(p Standing) Reader {
	_, watching := s.Watcher(p.ID)
	switch {
	case p.Admin:
		return Reader{As: ToSupervisor}
	case s.Agent.ID == p.ID || s.OfferedTo(p.ID):
		return Reader{As: ToAgent, StaffID: p.ID}
	case watching || p.supervises(s):
		return Reader{As: ToSupervisor, StaffID: p.ID}
	}
	return Reader{As: ToAgent, StaffID: p.ID}
}

// MayRead tells whether a staff member may read the correspondence. A supervisor who wants to read a session that goes on
// has to monitor it; when it has ended, the supervisors of its queue may.
func (s State) MayRead(p Standing) error {
	_, watching := s.Watcher(p.ID)
	switch {
	case !s.VisibleTo(p):
		return notFound()
	case p.Admin || s.Agent.ID == p.ID || watching || s.Phase.Waiting() || s.Phase.Ended():
		return nil
	}
	return domain.Reject(domain.NotMonitoring, "the session has to be monitored to be read")
}

// Revision of the last event that the reader sees, counting from 0 only what they see; -1 when they see none.
func (s State) Revision(r Reader) int64 { return int64(s.Seen(r)) - 1 }
