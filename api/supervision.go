package api

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/projections/sessions"
)

var supervisionFilters = append([]parameter{
	{"supervisor_id", "who watched"}, {"session_id", "which session"}, {"queue_id", "of the session then"},
	{"from", "watched at or after this time"}, {"to", "watched before this time"}, {"open", "true: those that go on"},
}, pagination...)

// supervisionResource is a stretch of time in which a supervisor watched a session.
type supervisionResource struct {
	SessionID       domain.SessionID `json:"session_id"`
	SupervisorID    domain.StaffID   `json:"supervisor_id"`
	SupervisorName  string           `json:"supervisor_name"`
	QueueID         domain.QueueID   `json:"queue_id"`
	AgentID         domain.StaffID   `json:"agent_id"`
	AgentName       string           `json:"agent_name"`
	Reason          string           `json:"reason"`
	StartedAt       timestamp        `json:"started_at"`
	JoinedAt        timestamp        `json:"joined_at" doc:"null when they only watched"`
	EndedAt         timestamp        `json:"ended_at" doc:"null while it goes on"`
	EndReason       string           `json:"end_reason,omitempty"`
	WatchedMS       *domain.Millis   `json:"watched_ms" doc:"null while it goes on"`
	PrivateMessages int              `json:"private_messages"`
	PublicMessages  int              `json:"public_messages"`
}

func listSupervision(c *call) (*reply, error) {
	before, limit, err := c.numbered("supervision")
	if err != nil {
		return nil, err
	}
	filter, err := c.supervisionFilter()
	if err != nil {
		return nil, err
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	rows, err := c.Sessions.Supervision(c.ctx(), filter, before, limit+1)
	if err != nil {
		return nil, err
	}
	answer, err := paged(c, "supervision", rows, limit, func(m sessions.Monitoring) string { return numberKey(int64(m.Key)) },
		func(m sessions.Monitoring) (supervisionResource, error) { return showMonitoring(m), nil })
	if err != nil {
		return nil, err
	}
	return answer, c.record(access.Read{
		Kind: access.OfSupervision, SessionID: filter.Session, QueueID: filter.Queue, Format: access.JSON,
	})
}

func showMonitoring(m sessions.Monitoring) supervisionResource {
	return supervisionResource{
		SessionID: m.SessionID, SupervisorID: m.Supervisor.ID, SupervisorName: m.Supervisor.Name, QueueID: m.QueueID,
		AgentID: m.Agent.ID, AgentName: m.Agent.Name, Reason: m.Reason,
		StartedAt: timestamp(m.StartedAt), JoinedAt: timestamp(m.JoinedAt), EndedAt: timestamp(m.EndedAt),
		EndReason: m.EndReason, WatchedMS: m.WatchedMS, PrivateMessages: m.PrivateMessages, PublicMessages: m.PublicMessages,
	}
}

func (c *call) supervisionFilter() (sessions.SupervisionFilter, error) {
	f := sessions.SupervisionFilter{
		Supervisor: domain.StaffID(c.query("supervisor_id")), Session: domain.SessionID(c.query("session_id")),
		Queue: domain.QueueID(c.query("queue_id")),
	}
	for _, id := range []string{string(f.Supervisor), string(f.Queue)} {
		if id != "" && !domain.ValidID(id) {
			return f, invalid("supervisor_id or queue_id is not an identifier")
		}
	}
	if f.Session != "" && !validSessionID(string(f.Session)) {
		return f, invalid("session_id is not the id of a session")
	}
	switch c.query("open") {
	case "", "false":
	case "true":
		f.OpenOnly = true
	default:
		return f, invalid("open must be true or false")
	}
	var err error
	if f.From, _, err = c.instant("from"); err != nil {
		return f, err
	}
	f.To, _, err = c.instant("to")
	return f, err
}
