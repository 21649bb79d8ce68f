package api

import (
	"net/http"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
)

type chatBody struct {
	QueueID  domain.QueueID `json:"queue_id"`
	Customer struct {
		Name  string `json:"name"`
		Email string `json:"email,omitempty"`
	} `json:"customer"`
	Question string `json:"question,omitempty"`
}

// requested is the answer to a request for a chat.
type requested struct {
	sessionResource
	CustomerToken string    `json:"customer_token" doc:"Good for this session alone"`
	ExpiresAt     timestamp `json:"customer_token_expires_at"`
}

func postSession(c *call) (*reply, error) {
	if c.anonymous {
		if err := c.limiter.admit(c.address(), c.at); err != nil {
			return nil, err
		}
	} else if c.is(domain.RoleCustomer, domain.RoleAuditor) {
		return nil, errNotPermitted
	}
	var b chatBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	r, err := c.request("sessions")
	if err != nil {
		return nil, err
	}
	r.IfMatch = nil
	if c.anonymous {
		r.Actor = domain.Actor{Role: domain.RoleCustomer}
	}
	id, out, err := c.Service.RequestSession(c.ctx(), r, command.ChatRequest{
		QueueID: b.QueueID, Customer: session.Customer{Name: b.Customer.Name, Email: b.Customer.Email}, Question: b.Question,
	})
	if err != nil {
		return nil, err
	}
	// The token derives from what was recorded, so that a request that is sent again gets the same one.
	issued := out.State.RequestedAt
	who := auth.Identity{
		Subject: "customer-" + string(id), Role: domain.RoleCustomer, Session: id, Name: out.State.Customer.Name,
		Issued: issued, Expires: issued.Add(c.Limits.CustomerToken),
	}
	token, err := c.Tokens.Sign(who)
	if err != nil {
		return nil, err
	}
	v := view{State: out.State, reader: session.Reader{As: session.ToCustomer}}
	c.who = who
	shown, err := c.showWithActions(v)
	if err != nil {
		return nil, err
	}
	return &reply{
		status: http.StatusCreated, body: requested{shown, token, timestamp(who.Expires)}, etag: etag(shown.Revision),
		position: out.Done.Position, wrote: true, replayed: out.Replayed,
	}, nil
}

// verb is an act in a session that answers with the session as the caller sees it afterwards.
func verb(act func(*call, command.Request, domain.SessionID) (command.SessionOutcome, error)) func(*call) (*reply, error) {
	return func(c *call) (*reply, error) {
		id, err := c.sessionID()
		if err != nil {
			return nil, err
		}
		r, err := c.request("session " + string(id))
		if err != nil {
			return nil, err
		}
		out, err := act(c, r, id)
		if err != nil {
			return nil, err
		}
		// Who has just given the session away no longer finds it, but learns how their act left it.
		v, err := c.look(out.State)
		if err != nil && domain.CodeOf(err) != domain.Missing {
			return nil, err
		}
		body, err := c.showWithActions(v)
		if err != nil {
			return nil, err
		}
		return &reply{body: body, etag: etag(body.Revision), position: out.Done.Position, wrote: true, replayed: out.Replayed}, nil
	}
}

func accept(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	if err := c.decode(&struct{}{}); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.Accept(c.ctx(), r, id)
}

func decline(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	if err := c.decode(&struct{}{}); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.Decline(c.ctx(), r, id)
}

type transferBody struct {
	QueueID *domain.QueueID `json:"queue_id,omitempty"`
	StaffID *domain.StaffID `json:"staff_id,omitempty"`
}

func transfer(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	var b transferBody
	if err := c.decode(&b); err != nil {
		return command.SessionOutcome{}, err
	}
	if (b.QueueID == nil) == (b.StaffID == nil) {
		return command.SessionOutcome{}, invalid("exactly one of queue_id and staff_id is needed")
	}
	if b.QueueID != nil {
		return c.Service.TransferToQueue(c.ctx(), r, id, *b.QueueID)
	}
	return c.Service.TransferToStaff(c.ctx(), r, id, *b.StaffID)
}

type concludeBody struct {
	Disposition string `json:"disposition,omitempty"`
}

func conclude(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	var b concludeBody
	if err := c.decode(&b); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.Conclude(c.ctx(), r, id, b.Disposition)
}

type helpBody struct {
	Note string `json:"note,omitempty"`
}

func requestHelp(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	var b helpBody
	if err := c.decode(&b); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.RequestHelp(c.ctx(), r, id, b.Note)
}

type monitorBody struct {
	Reason string `json:"reason,omitempty"`
}

func monitor(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	var b monitorBody
	if err := c.decode(&b); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.Monitor(c.ctx(), r, id, b.Reason)
}

func join(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	if err := c.decode(&struct{}{}); err != nil {
		return command.SessionOutcome{}, err
	}
	return c.Service.Join(c.ctx(), r, id)
}

func leave(c *call, r command.Request, id domain.SessionID) (command.SessionOutcome, error) {
	if err := c.decode(&struct{}{}); err != nil {
		return command.SessionOutcome{}, err
	}
	if c.is(domain.RoleCustomer) {
		return c.Service.LeaveAsCustomer(c.ctx(), r, id)
	}
	return c.Service.Leave(c.ctx(), r, id)
}
