package api

import (
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/projections/snapshot"
)

type snapshotResource struct {
	AsOf     timestamp         `json:"as_of"`
	Position string            `json:"position" doc:"For Chatwatch-After"`
	Queues   []snapshotQueue   `json:"queues"`
	Agents   []snapshotAgent   `json:"agents"`
	Sessions []snapshotSession `json:"sessions"`
}

type snapshotQueue struct {
	QueueID               domain.QueueID `json:"queue_id"`
	Name                  string         `json:"name"`
	Waiting               int            `json:"waiting" doc:"Queued or offered"`
	OldestWaitMS          *domain.Millis `json:"oldest_wait_ms"`
	Engaged               int            `json:"engaged"`
	InWrapUp              int            `json:"in_wrap_up"`
	Monitored             int            `json:"monitored"`
	AgentsLoggedIn        int            `json:"agents_logged_in"`
	AgentsAvailable       int            `json:"agents_available"`
	IdleSessions          int            `json:"idle_sessions" doc:"That available agents can still take"`
	ServiceLevelMS        domain.Millis  `json:"service_level_ms" doc:"The target"`
	ServiceLevelToday     *float64       `json:"service_level_today" doc:"Answered in target / offered, since midnight UTC"`
	OfferedToday          int            `json:"offered_today"`
	AnsweredToday         int            `json:"answered_today"`
	AnsweredInTargetToday int            `json:"answered_in_target_today"`
	AbandonedToday        int            `json:"abandoned_today"`
	ShortAbandonedToday   int            `json:"short_abandoned_today"`
	Alert                 snapshot.Alert `json:"alert" enum:"ok,warning,breached" doc:"The oldest wait against the target"`
}

type snapshotAgent struct {
	StaffID         domain.StaffID   `json:"staff_id"`
	Name            string           `json:"name"`
	Status          staff.Status     `json:"status"`
	StatusType      staff.StatusType `json:"status_type"`
	TimeInStatusMS  domain.Millis    `json:"time_in_status_ms"`
	SessionsInUse   int              `json:"sessions_in_use"`
	MaxSessions     int              `json:"max_sessions"`
	IdleSessions    int              `json:"idle_sessions"`
	OldestSessionMS *domain.Millis   `json:"oldest_session_ms"`
	HelpRequested   bool             `json:"help_requested"`
}

type snapshotSession struct {
	SessionID                domain.SessionID `json:"session_id"`
	QueueID                  domain.QueueID   `json:"queue_id"`
	QueueName                string           `json:"queue_name"`
	AgentID                  domain.StaffID   `json:"agent_id,omitempty"`
	AgentName                string           `json:"agent_name,omitempty"`
	Customer                 customerResource `json:"customer"`
	State                    session.Phase    `json:"state"`
	RequestedAt              timestamp        `json:"requested_at"`
	TimeInStateMS            domain.Millis    `json:"time_in_state_ms"`
	WaitMS                   domain.Millis    `json:"wait_ms"`
	DurationMS               domain.Millis    `json:"duration_ms"`
	LastCustomerMessageAgeMS *domain.Millis   `json:"last_customer_message_age_ms"`
	LastAgentMessageAgeMS    *domain.Millis   `json:"last_agent_message_age_ms"`
	Messages                 int              `json:"messages"`
	HelpRequested            bool             `json:"help_requested"`
	MonitoredBy              *[]watcher       `json:"monitored_by,omitempty" doc:"Never of one's own session"`
}

func getSnapshot(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	at, past, err := c.instant("at")
	if err != nil {
		return nil, err
	}
	queues, err := c.overseen()
	if err != nil {
		return nil, err
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	past = past && at.Before(c.at)
	body, err := c.snapshot(queues, at, past)
	if err != nil || !past {
		return ok(body), err
	}
	return ok(body), c.record(access.Read{Kind: access.OfSnapshot, At: &at, Format: access.JSON})
}

// overseen are the queues whose report the caller may see; nil for all.
func (c *call) overseen() ([]domain.QueueID, error) {
	if !c.is(domain.RoleStaff) {
		return nil, nil
	}
	account, err := c.Service.Account(c.ctx(), domain.StaffID(c.who.Subject))
	if err != nil {
		return nil, err
	}
	if !account.Profile.Supervisor {
		return nil, errNotPermitted
	}
	return append([]domain.QueueID{}, account.Profile.Queues...), nil
}

func (c *call) snapshot(queues []domain.QueueID, at time.Time, past bool) (snapshotResource, error) {
	var s *snapshot.Snapshot
	var err error
	if past {
		s, err = c.Snapshots.SnapshotAt(c.ctx(), queues, at)
	} else {
		s, err = c.Snapshots.Snapshot(c.ctx(), queues, c.Clock().UTC())
	}
	if err != nil {
		return snapshotResource{}, err
	}
	if c.is(domain.RoleStaff) {
		if err := c.silence(s, domain.StaffID(c.who.Subject)); err != nil {
			return snapshotResource{}, err
		}
	}
	return c.showSnapshot(s), nil
}

// silence takes out of a snapshot every trace of those who watch the caller's own sessions (rule 4): the watch, its count,
// and the slot that it takes.
func (c *call) silence(s *snapshot.Snapshot, caller domain.StaffID) error {
	for i := range s.Sessions {
		own := &s.Sessions[i]
		if own.Agent == nil || own.Agent.ID != caller || len(own.MonitoredBy) == 0 {
			continue
		}
		for q := range s.Queues {
			if s.Queues[q].ID == own.QueueID {
				s.Queues[q].Monitored--
			}
		}
		for _, w := range own.MonitoredBy {
			if err := c.giveBack(s, w.ID); err != nil {
				return err
			}
		}
		own.MonitoredBy = nil
	}
	return nil
}

// giveBack counts one slot less of a watcher.
func (c *call) giveBack(s *snapshot.Snapshot, id domain.StaffID) error {
	i := slices.IndexFunc(s.Agents, func(a snapshot.Agent) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	a := &s.Agents[i]
	before := a.IdleSessions
	a.SessionsInUse--
	a.IdleSessions = max(0, a.MaxSessions-a.SessionsInUse)
	if a.StatusType != staff.TypeAvailable {
		return nil
	}
	p, err := c.Service.Profile(c.ctx(), a.ProfileID)
	if err != nil {
		return err
	}
	for q := range s.Queues {
		if p.State.Serves(s.Queues[q].ID) {
			s.Queues[q].IdleSessions += a.IdleSessions - before
		}
	}
	return nil
}

func (c *call) showSnapshot(s *snapshot.Snapshot) snapshotResource {
	out := snapshotResource{
		AsOf: timestamp(s.AsOf), Position: c.positions.SealSalted(uint64(s.Position)),
		Queues: make([]snapshotQueue, 0, len(s.Queues)), Agents: make([]snapshotAgent, 0, len(s.Agents)),
		Sessions: make([]snapshotSession, 0, len(s.Sessions)),
	}
	for _, q := range s.Queues {
		out.Queues = append(out.Queues, snapshotQueue{
			QueueID: q.ID, Name: q.Name, Waiting: q.Waiting, OldestWaitMS: q.OldestWaitMS, Engaged: q.Engaged, InWrapUp: q.InWrapUp,
			Monitored: q.Monitored, AgentsLoggedIn: q.AgentsLoggedIn, AgentsAvailable: q.AgentsAvailable, IdleSessions: q.IdleSessions,
			ServiceLevelMS: q.ServiceLevelMS, ServiceLevelToday: q.ServiceLevelToday, OfferedToday: q.OfferedToday,
			AnsweredToday: q.AnsweredToday, AnsweredInTargetToday: q.AnsweredInTargetToday, AbandonedToday: q.AbandonedToday,
			ShortAbandonedToday: q.ShortAbandonedToday, Alert: q.Alert,
		})
	}
	for _, a := range s.Agents {
		out.Agents = append(out.Agents, snapshotAgent{
			StaffID: a.ID, Name: a.Name, Status: a.Status, StatusType: a.StatusType, TimeInStatusMS: a.TimeInStatusMS,
			SessionsInUse: a.SessionsInUse, MaxSessions: a.MaxSessions, IdleSessions: a.IdleSessions,
			OldestSessionMS: a.OldestSessionMS, HelpRequested: a.HelpRequested,
		})
	}
	for _, x := range s.Sessions {
		out.Sessions = append(out.Sessions, c.showSnapshotSession(x))
	}
	return out
}

func (c *call) showSnapshotSession(x snapshot.Session) snapshotSession {
	out := snapshotSession{
		SessionID: x.ID, QueueID: x.QueueID, QueueName: x.QueueName, Customer: customerResource{x.Customer.Name, x.Customer.Email},
		State: x.State, RequestedAt: timestamp(x.RequestedAt), TimeInStateMS: x.TimeInStateMS, WaitMS: x.WaitMS, DurationMS: x.DurationMS,
		LastCustomerMessageAgeMS: x.LastCustomerMessageAgeMS, LastAgentMessageAgeMS: x.LastAgentMessageAgeMS,
		Messages: x.Messages, HelpRequested: x.HelpRequested,
	}
	if x.Agent != nil {
		out.AgentID, out.AgentName = x.Agent.ID, x.Agent.Name
	}
	if !c.is(domain.RoleStaff) || string(out.AgentID) != c.who.Subject {
		watchers := make([]watcher, 0, len(x.MonitoredBy))
		for _, w := range x.MonitoredBy {
			watchers = append(watchers, watcher{w.ID, w.Name, w.Joined})
		}
		out.MonitoredBy = &watchers
	}
	return out
}
