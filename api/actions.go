package api

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
)

// action says whether the caller may do something now, and the code that says why not.
type action struct {
	Allowed bool        `json:"allowed"`
	Code    domain.Code `json:"code,omitempty"`
}

// trial stands for identifiers and texts where a decider is only asked.
const trial = "trial"

// actionNames are those that every caller is told of.
var actionNames = []string{
	"monitor", "join", "leave", "send_public", "send_private", "accept", "decline", "transfer", "conclude", "help",
}

// actions asks the deciders what would become of each act, without appending anything.
func (c *call) actions(v view) (map[string]action, error) {
	out := make(map[string]action, len(actionNames))
	for _, name := range actionNames {
		out[name] = action{Code: domain.NotPermitted}
	}
	ask := func(name string, cmd session.Command) {
		_, err := session.Decide(v.State, cmd)
		out[name] = verdict(err)
	}
	switch c.who.Role {
	case domain.RoleCustomer:
		ask("send_public", session.Send{MessageID: trial, Visibility: session.Public, Text: trial})
		ask("send_private", session.Send{MessageID: trial, Visibility: session.Private, Text: trial})
		ask("leave", session.Leave{At: c.at})
		return out, nil
	case domain.RoleAuditor:
		return out, nil
	}
	q, err := c.Service.Queue(c.ctx(), v.Queue.ID)
	if err != nil {
		return nil, err
	}
	by := v.standing
	for _, name := range []struct {
		action     string
		visibility session.Visibility
	}{{"send_public", session.Public}, {"send_private", session.Private}} {
		ask(name.action, session.Send{
			By: &by, MessageID: trial, Visibility: name.visibility, Text: trial,
			AgentPrivateReply: or(q.State.AgentPrivateReply, queue.AfterJoin),
		})
	}
	ask("join", session.Join{By: by})
	ask("leave", session.Leave{By: &by, At: c.at})
	ask("decline", session.Decline{By: by})
	ask("transfer", session.Transfer{By: by, ToQueue: &session.QueueRef{ID: trial + "/"}, At: c.at})
	ask("conclude", session.Conclude{By: by, At: c.at})
	ask("help", session.RequestHelp{By: by})
	return out, c.slotActions(v, out)
}

// slotActions asks for the acts that need an idle session of the caller too.
func (c *call) slotActions(v view, out map[string]action) error {
	if !c.is(domain.RoleStaff) {
		return nil // an administrator has no slots
	}
	account, err := c.Service.Account(c.ctx(), v.standing.ID)
	if err != nil {
		return err
	}
	out["monitor"] = withSlot(v.State, account, session.Watch{By: v.standing, ReservationID: trial}, staff.ForMonitoring)
	out["accept"] = withSlot(v.State, account, session.Accept{By: v.standing, ReservationID: trial, At: v.QueuedAt}, staff.ForEngagement)
	return nil
}

func withSlot(s session.State, a command.Account, act session.Command, purpose staff.Purpose) action {
	events, err := session.Decide(s, act)
	if err == nil && len(events) > 0 {
		_, err = staff.Decide(a.Member.State, staff.Reserve{
			SessionID: s.ID, ReservationID: trial, Purpose: purpose, MaxSessions: a.Profile.MaxSessions,
		})
	}
	return verdict(err)
}

func verdict(err error) action {
	return action{Allowed: err == nil, Code: domain.CodeOf(err)}
}
