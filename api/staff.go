package api

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
)

type staffBody struct {
	StaffID   *string          `json:"staff_id,omitempty" doc:"May be sent back as it was read"`
	Name      *string          `json:"name,omitempty" doc:"The id when left out"`
	ProfileID domain.ProfileID `json:"profile_id"`
}

type loginBody struct {
	Status staff.Status `json:"status,omitempty" enum:"available,unavailable,in_meeting,on_break" doc:"available"`
}

type statusBody struct {
	Status staff.Status `json:"status" enum:"available,unavailable,in_meeting,on_break"`
	Reason string       `json:"reason,omitempty"`
}

// staffResource is a staff member with their duty and slots at this time.
type staffResource struct {
	StaffID       domain.StaffID    `json:"staff_id"`
	Name          string            `json:"name"`
	ProfileID     domain.ProfileID  `json:"profile_id"`
	LoggedIn      bool              `json:"logged_in"`
	Status        *staff.Status     `json:"status" doc:"null while logged out"`
	StatusType    *staff.StatusType `json:"status_type" doc:"null while logged out"`
	SessionsInUse int               `json:"sessions_in_use"`
	MaxSessions   int               `json:"max_sessions"`
	IdleSessions  int               `json:"idle_sessions"`
	Sessions      []staffSession    `json:"sessions"`
}

// staffSession is a slot in use.
type staffSession struct {
	SessionID domain.SessionID `json:"session_id"`
	As        staff.Purpose    `json:"as" enum:"offer,engagement,monitoring"`
}

func putStaff(c *call) (*reply, error) {
	id := c.param("id")
	var b staffBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	switch {
	case b.StaffID != nil && *b.StaffID != id:
		return nil, invalid("staff_id is not the one of the path")
	case !domain.ValidID(id) || id == me:
		return nil, invalid("the staff id is not of the form [a-z0-9][a-z0-9._-]{0,63}, or is " + me)
	case b.ProfileID == "":
		return nil, invalid("profile_id is missing")
	}
	r, err := c.request("staff " + id)
	if err != nil {
		return nil, err
	}
	member := domain.StaffID(id)
	if err := c.mustExist(func() (bool, error) { v, err := c.Service.Member(c.ctx(), member); return v.State.Registered, err }); err != nil {
		return nil, err
	}
	out, err := c.Service.RegisterStaff(c.ctx(), r, member, given(b.Name, id), b.ProfileID)
	if err != nil {
		return nil, err
	}
	body, err := c.showMember(out.View)
	if err != nil {
		return nil, err
	}
	return configured(out, body), nil
}

// me stands for the caller in the path.
const me = "me"

// member is the staff member of the path, and whether the caller may see them: oneself; anybody for supervisors,
// administrators and auditors.
func (c *call) member() (id domain.StaffID, self bool, err error) {
	id = domain.StaffID(c.param("id"))
	if id == me {
		id = domain.StaffID(c.who.Subject)
	}
	self = c.is(domain.RoleStaff) && string(id) == c.who.Subject
	if !self {
		if err := c.mustOversee(); err != nil {
			return "", false, err
		}
	}
	if !domain.ValidID(string(id)) {
		return "", false, errNotFound("staff member")
	}
	return id, self, nil
}

// mustOversee refuses callers who are not supervisors by their profile, administrators or auditors.
func (c *call) mustOversee() error {
	if c.is(domain.RoleAdmin, domain.RoleAuditor) {
		return nil
	}
	account, err := c.Service.Account(c.ctx(), domain.StaffID(c.who.Subject))
	if err != nil {
		return err
	}
	if !account.Profile.Supervisor {
		return errNotPermitted
	}
	return nil
}

func getStaff(c *call) (*reply, error) {
	id, _, err := c.member()
	if err != nil {
		return nil, err
	}
	v, err := c.Service.Member(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	if !v.State.Registered {
		return nil, errNotFound("staff member")
	}
	body, err := c.showMember(v)
	if err != nil {
		return nil, err
	}
	tag, err := c.memberTag(v, body)
	return &reply{body: body, etag: tag}, err
}

// showMember makes the resource as the caller may see it: who watches the caller's own session is not shown to do so.
func (c *call) showMember(v command.View[staff.State]) (staffResource, error) {
	m := v.State
	p, err := c.Service.Profile(c.ctx(), m.ProfileID)
	if err != nil {
		return staffResource{}, err
	}
	out := staffResource{
		StaffID: m.ID, Name: m.Name, ProfileID: m.ProfileID, LoggedIn: m.LoggedIn,
		MaxSessions: p.State.MaxSessions, Sessions: []staffSession{},
	}
	if m.LoggedIn {
		kind := m.Status.Type()
		out.Status, out.StatusType = &m.Status, &kind
	}
	for _, slot := range m.Slots {
		hidden, err := c.hidden(m.ID, slot)
		if err != nil {
			return staffResource{}, err
		}
		if !hidden {
			out.Sessions = append(out.Sessions, staffSession{slot.SessionID, slot.Purpose})
		}
	}
	out.SessionsInUse = len(out.Sessions)
	out.IdleSessions = max(0, out.MaxSessions-out.SessionsInUse)
	return out, nil
}

// hidden tells whether a slot is a watch over a session of which the caller is the agent.
func (c *call) hidden(holder domain.StaffID, slot staff.Slot) (bool, error) {
	if slot.Purpose != staff.ForMonitoring || !c.is(domain.RoleStaff) || string(holder) == c.who.Subject {
		return false, nil
	}
	v, err := c.Service.Session(c.ctx(), slot.SessionID)
	if err != nil {
		return false, err
	}
	caller := session.Standing{StaffRef: session.StaffRef{ID: domain.StaffID(c.who.Subject)}, Supervisor: true, Queues: []domain.QueueID{v.State.Queue.ID}}
	return v.State.ReaderFor(caller).As == session.ToAgent, nil
}

// memberTag is the revision of the member's stream for those who see all of it, and a hash of what they see for others.
func (c *call) memberTag(v command.View[staff.State], body staffResource) (string, error) {
	if c.is(domain.RoleAdmin, domain.RoleAuditor) || string(v.State.ID) == c.who.Subject {
		return etag(v.Revision), nil
	}
	seen, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("tag of a staff member: %w", err)
	}
	const numbers = 1 << 60 // beyond every revision
	return `"` + strconv.FormatUint(numbers|c.Seals.Number(seen)>>4, 10) + `"`, nil
}

// duty is an act upon a staff member's duty, by themselves, a supervisor or an administrator.
func duty(act func(*call, command.Request, domain.StaffID) (command.StaffOutcome, error)) func(*call) (*reply, error) {
	return func(c *call) (*reply, error) {
		id, _, err := c.member()
		if err != nil {
			return nil, err
		}
		r, err := c.request("staff " + string(id))
		if err != nil {
			return nil, err
		}
		if err := c.untag(&r, id); err != nil {
			return nil, err
		}
		out, err := act(c, r, id)
		if err != nil {
			return nil, err
		}
		body, err := c.showMember(out.View)
		if err != nil {
			return nil, err
		}
		tag, err := c.memberTag(out.View, body)
		return &reply{body: body, etag: tag, position: out.Done.Position, wrote: true, replayed: out.Replayed}, err
	}
}

// untag turns a tag of memberTag back into the revision that the member's stream has now, if it is still right.
func (c *call) untag(r *command.Request, id domain.StaffID) error {
	if r.IfMatch == nil {
		return nil
	}
	v, err := c.Service.Member(c.ctx(), id)
	if err != nil {
		return err
	}
	body, err := c.showMember(v)
	if err != nil {
		return err
	}
	tag, err := c.memberTag(v, body)
	if err != nil {
		return err
	}
	if tag != etag(*r.IfMatch) {
		return stale()
	}
	r.IfMatch = &v.Revision
	return nil
}

func logIn(c *call, r command.Request, id domain.StaffID) (command.StaffOutcome, error) {
	var b loginBody
	if err := c.decode(&b); err != nil {
		return command.StaffOutcome{}, err
	}
	return c.Service.LogIn(c.ctx(), r, id, b.Status)
}

func logOut(c *call, r command.Request, id domain.StaffID) (command.StaffOutcome, error) {
	if err := c.decode(&struct{}{}); err != nil {
		return command.StaffOutcome{}, err
	}
	return c.Service.LogOut(c.ctx(), r, id)
}

func setStatus(c *call, r command.Request, id domain.StaffID) (command.StaffOutcome, error) {
	var b statusBody
	if err := c.decode(&b); err != nil {
		return command.StaffOutcome{}, err
	}
	return c.Service.SetStatus(c.ctx(), r, id, b.Status, b.Reason)
}
