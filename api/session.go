package api

import (
	"errors"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// sessionResource is a session as one reader gets it. What a role does not get is left out altogether.
type sessionResource struct {
	SessionID     domain.SessionID  `json:"session_id"`
	QueueID       domain.QueueID    `json:"queue_id"`
	QueueName     string            `json:"queue_name"`
	State         session.Phase     `json:"state" enum:"queued,offered,engaged,wrap_up,concluded,abandoned"`
	Customer      customerResource  `json:"customer"`
	Question      string            `json:"question"`
	AgentID       domain.StaffID    `json:"agent_id,omitempty" doc:"For staff"`
	AgentName     string            `json:"agent_name,omitempty"`
	OfferedTo     domain.StaffID    `json:"offered_to,omitempty" doc:"For that agent, supervisors and auditors"`
	RequestedAt   timestamp         `json:"requested_at"`
	QueuedAt      timestamp         `json:"queued_at"`
	EngagedAt     timestamp         `json:"engaged_at,omitzero"`
	HelpRequested *bool             `json:"help_requested,omitempty" doc:"For staff"`
	Disposition   string            `json:"disposition,omitempty" doc:"For staff"`
	MonitoredBy   *[]watcher        `json:"monitored_by,omitempty" doc:"For supervisors and auditors, never for the agent"`
	Incomplete    bool              `json:"incomplete,omitempty" doc:"For supervisors and auditors: lists, reports or transcripts lack some of its events"`
	Actions       map[string]action `json:"actions,omitempty"`
	Revision      int64             `json:"revision" doc:"Counts what the caller can see"`
}

type customerResource struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty" doc:"For staff"`
}

// watcher is a supervisor who monitors the session.
type watcher struct {
	StaffID domain.StaffID `json:"staff_id"`
	Name    string         `json:"name"`
	Joined  bool           `json:"joined"`
}

// view is a session with the one who looks at it.
type view struct {
	session.State
	reader   session.Reader
	standing session.Standing // of staff and administrators
}

// look finds out as whom the caller sees the session. Who may not see it learns that there is none.
func (c *call) look(s session.State) (view, error) {
	v := view{State: s}
	if s.Phase == "" {
		return v, errNotFound("session")
	}
	switch c.who.Role {
	case domain.RoleCustomer:
		v.reader = session.Reader{As: session.ToCustomer}
		if c.who.Session != s.ID {
			return v, errNotFound("session")
		}
	case domain.RoleAuditor:
		v.reader = session.Reader{As: session.ToAuditor}
	default:
		var err error
		if v.standing, err = c.Service.Standing(c.ctx(), c.actor()); err != nil {
			return v, err
		}
		v.reader = s.ReaderFor(v.standing)
		if !s.VisibleTo(v.standing) {
			return v, errNotFound("session")
		}
	}
	return v, nil
}

// sessionID is the session of the path. A customer's token is good for one alone.
func (c *call) sessionID() (domain.SessionID, error) {
	id := c.param("id")
	if !validSessionID(id) || c.is(domain.RoleCustomer) && string(c.who.Session) != id {
		return "", errNotFound("session")
	}
	return domain.SessionID(id), nil
}

// validSessionID tells whether an identifier has the 36-character form of a UUID, in lower case.
func validSessionID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, b := range []byte(id) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if b != '-' {
				return false
			}
		} else if (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	return true
}

// open reads the session of the path as the caller sees it.
func (c *call) open() (view, command.View[session.State], error) {
	id, err := c.sessionID()
	if err != nil {
		return view{}, command.View[session.State]{}, err
	}
	now, err := c.Service.Session(c.ctx(), id)
	if err != nil {
		return view{}, now, err
	}
	v, err := c.look(now.State)
	return v, now, err
}

// show makes the resource, without actions.
func (v view) show() sessionResource {
	out := sessionResource{
		SessionID: v.ID, QueueID: v.Queue.ID, QueueName: v.Queue.Name, State: v.Phase,
		Customer: customerResource{Name: v.Customer.Name}, Question: v.Question, AgentName: v.Agent.Name,
		RequestedAt: timestamp(v.RequestedAt), QueuedAt: timestamp(v.QueuedAt), EngagedAt: timestamp(v.EngagedAt),
		Revision: v.Revision(v.reader),
	}
	if v.reader.As == session.ToCustomer {
		out.State = v.customerState()
		return out
	}
	out.Customer.Email, out.AgentID, out.Disposition = v.Customer.Email, v.Agent.ID, v.Disposition
	help := v.HelpRequested
	out.HelpRequested = &help
	oversees := v.oversees()
	if oversees || v.OfferedTo(v.reader.StaffID) {
		out.OfferedTo = v.Offer.Agent.ID
	} else if v.Phase == session.Offered {
		out.State = session.Queued // to whom it is offered is between the two
	}
	if oversees {
		watchers := make([]watcher, 0, len(v.Watchers))
		for _, w := range v.Watchers {
			watchers = append(watchers, watcher{w.ID, w.Name, w.Joined})
		}
		out.MonitoredBy = &watchers
	}
	return out
}

// oversees tells whether the session is shown to somebody who sees all of it.
func (v view) oversees() bool {
	return v.reader.As == session.ToSupervisor || v.reader.As == session.ToAuditor
}

// customerState is what a customer learns of where the session stands.
func (v view) customerState() session.Phase {
	switch v.Phase {
	case session.Offered:
		return session.Queued
	case session.WrapUp:
		return session.Concluded
	default:
		return v.Phase
	}
}

// showWithActions makes the resource with what the caller may do now.
func (c *call) showWithActions(v view) (sessionResource, error) {
	out := v.show()
	var err error
	out.Actions, err = c.actions(v)
	return out, err
}

func getSession(c *call) (*reply, error) {
	v, _, err := c.open()
	if err != nil {
		return nil, err
	}
	body, err := c.showWithActions(v)
	if err != nil {
		return nil, err
	}
	body.Incomplete, err = c.incomplete(v)
	return &reply{body: body, etag: etag(body.Revision)}, err
}

// incomplete tells those who see all of a session whether the read models lack some of its events. Nobody else is told: it
// might be that a supervisor came. The session itself is read from the log, so it is shown when the database is away.
func (c *call) incomplete(v view) (bool, error) {
	if !v.oversees() {
		return false, nil
	}
	missing, err := c.Sessions.Incomplete(c.ctx(), v.ID)
	if errors.Is(err, readstore.ErrUnavailable) {
		return false, nil
	}
	return missing, err
}
