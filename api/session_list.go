package api

import (
	"slices"
	"strings"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/projections/sessions"
)

var sessionFilters = append([]parameter{
	{"state", "one or more of queued, offered, engaged, wrap_up, concluded, abandoned, with commas between"},
	{"queue_id", "of the queue where the session is"}, {"agent_id", "who has it, or had it last; me for oneself"},
}, pagination...)

var phases = []session.Phase{
	session.Queued, session.Offered, session.Engaged, session.WrapUp, session.Concluded, session.Abandoned,
}

func listSessions(c *call) (*reply, error) {
	before, limit, err := c.numbered("sessions")
	if err != nil {
		return nil, err
	}
	wanted, filter, err := c.sessionFilter()
	if err != nil {
		return nil, err
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	rows, err := c.Sessions.List(c.ctx(), filter, before, limit+1)
	if err != nil {
		return nil, err
	}
	return paged(c, "sessions", rows, limit, func(row sessions.Session) string { return numberKey(int64(row.Key)) },
		func(row sessions.Session) (sessionResource, error) {
			shown, err := c.listed(row)
			if domain.CodeOf(err) == domain.Missing || err == nil && !wanted.matches(shown) {
				return sessionResource{}, errHidden // it was visible, and matched, when the row was written
			}
			return shown, err
		})
}

// listed is a session of a list as its own page shows it at this time, without actions.
func (c *call) listed(row sessions.Session) (sessionResource, error) {
	now, err := c.Service.Session(c.ctx(), row.ID)
	if err != nil {
		return sessionResource{}, err
	}
	v, err := c.look(now.State)
	if err != nil {
		return sessionResource{}, err
	}
	out := v.show()
	out.Incomplete = row.Incomplete && v.oversees()
	return out, nil
}

// wantedSessions is what the caller asked for, in the words in which sessions are shown to them.
type wantedSessions struct {
	states []session.Phase
	queue  domain.QueueID
	agent  domain.StaffID
}

func (w wantedSessions) matches(s sessionResource) bool {
	return (len(w.states) == 0 || slices.Contains(w.states, s.State)) &&
		(w.queue == "" || w.queue == s.QueueID) && (w.agent == "" || w.agent == s.AgentID)
}

func (c *call) sessionFilter() (wantedSessions, sessions.Filter, error) {
	wanted := wantedSessions{queue: domain.QueueID(c.query("queue_id")), agent: domain.StaffID(c.query("agent_id"))}
	if wanted.agent == me {
		wanted.agent = domain.StaffID(c.who.Subject)
	}
	if wanted.queue != "" && !domain.ValidID(string(wanted.queue)) || wanted.agent != "" && !domain.ValidID(string(wanted.agent)) {
		return wanted, sessions.Filter{}, invalid("queue_id or agent_id is not an identifier")
	}
	if states := c.query("state"); states != "" {
		for name := range strings.SplitSeq(states, ",") {
			phase := session.Phase(name)
			if !slices.Contains(phases, phase) {
				return wanted, sessions.Filter{}, invalid("state must be one of " + joinPhases() + ", or several with commas between")
			}
			wanted.states = append(wanted.states, phase)
		}
	}
	filter := sessions.Filter{States: wanted.states, Queue: wanted.queue, Agent: wanted.agent}
	if slices.Contains(filter.States, session.Queued) && !slices.Contains(filter.States, session.Offered) {
		// What is offered to somebody else is shown as waiting.
		filter.States = append(slices.Clone(filter.States), session.Offered)
	}
	var err error
	filter.Visible, err = c.scope()
	return wanted, filter, err
}

func joinPhases() string {
	words := make([]string, len(phases))
	for i, p := range phases {
		words[i] = string(p)
	}
	return strings.Join(words, " ")
}

// scope is what the caller may know of; nil for everything.
func (c *call) scope() (*sessions.Scope, error) {
	if !c.is(domain.RoleStaff) {
		return nil, nil
	}
	standing, err := c.Service.Standing(c.ctx(), c.actor())
	if err != nil {
		return nil, err
	}
	out := &sessions.Scope{Staff: standing.ID}
	if standing.Supervisor {
		out.Supervised = standing.Queues
	}
	if standing.Chat {
		out.Serving = standing.Queues
	}
	return out, nil
}
