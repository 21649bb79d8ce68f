package api

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
)

type profileBody struct {
	ProfileID     *string             `json:"profile_id,omitempty" doc:"May be sent back as it was read"`
	Name          *string             `json:"name,omitempty" doc:"The id when left out"`
	Chat          bool                `json:"chat,omitempty" doc:"May chat with customers"`
	Supervisor    bool                `json:"supervisor,omitempty" doc:"Sees the queues of the profile"`
	Monitor       bool                `json:"monitor,omitempty" doc:"May watch sessions; needs supervisor"`
	MaxSessions   *int                `json:"max_sessions,omitempty" doc:"Sessions at a time; 1"`
	Queues        []domain.QueueID    `json:"queues,omitempty" doc:"By rank, the first one first"`
	PullPolicy    *profile.PullPolicy `json:"pull_policy,omitempty" enum:"first_due,strict_priority" doc:"first_due"`
	AllowDecline  *bool               `json:"allow_decline,omitempty" doc:"true"`
	ReceiveOffers *bool               `json:"receive_offers,omitempty" doc:"Sessions are offered; true without supervisor"`
}

func (b profileBody) settings(id string) profile.Settings {
	queues := b.Queues
	if queues == nil {
		queues = []domain.QueueID{}
	}
	return profile.Settings{
		Name: given(b.Name, id), Chat: b.Chat, Supervisor: b.Supervisor, Monitor: b.Monitor,
		MaxSessions: given(b.MaxSessions, 1), Queues: queues, PullPolicy: given(b.PullPolicy, profile.FirstDue),
		AllowDecline: given(b.AllowDecline, true), ReceiveOffers: given(b.ReceiveOffers, !b.Supervisor),
	}
}

type profileResource struct {
	ProfileID     domain.ProfileID   `json:"profile_id"`
	Name          string             `json:"name"`
	Chat          bool               `json:"chat"`
	Supervisor    bool               `json:"supervisor"`
	Monitor       bool               `json:"monitor"`
	MaxSessions   int                `json:"max_sessions"`
	Queues        []domain.QueueID   `json:"queues"`
	PullPolicy    profile.PullPolicy `json:"pull_policy"`
	AllowDecline  bool               `json:"allow_decline"`
	ReceiveOffers bool               `json:"receive_offers"`
}

func showProfile(id domain.ProfileID, s profile.Settings) profileResource {
	queues := s.Queues
	if queues == nil {
		queues = []domain.QueueID{}
	}
	return profileResource{
		ProfileID: id, Name: s.Name, Chat: s.Chat, Supervisor: s.Supervisor, Monitor: s.Monitor, MaxSessions: s.MaxSessions,
		Queues: queues, PullPolicy: s.PullPolicy, AllowDecline: s.AllowDecline, ReceiveOffers: s.ReceiveOffers,
	}
}

func putProfile(c *call) (*reply, error) {
	id := c.param("id")
	var b profileBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	if b.ProfileID != nil && *b.ProfileID != id {
		return nil, invalid("profile_id is not the one of the path")
	}
	if !domain.ValidID(id) {
		return nil, invalid("the profile id is not of the form [a-z0-9][a-z0-9._-]{0,63}")
	}
	r, err := c.request("profile " + id)
	if err != nil {
		return nil, err
	}
	if err := c.mustExist(func() (bool, error) {
		v, err := c.Service.Profile(c.ctx(), domain.ProfileID(id))
		return v.State.Defined, err
	}); err != nil {
		return nil, err
	}
	out, err := c.Service.DefineProfile(c.ctx(), r, domain.ProfileID(id), b.settings(id))
	if err != nil {
		return nil, err
	}
	return configured(out, showProfile(domain.ProfileID(id), out.State.Settings)), nil
}

func getProfile(c *call) (*reply, error) {
	id := domain.ProfileID(c.param("id"))
	if c.is(domain.RoleStaff) {
		account, err := c.Service.Account(c.ctx(), domain.StaffID(c.who.Subject))
		if err != nil {
			return nil, err
		}
		if !account.Profile.Supervisor && account.Member.State.ProfileID != id {
			return nil, errNotPermitted
		}
	}
	if !domain.ValidID(string(id)) {
		return nil, errNotFound("profile")
	}
	v, err := c.Service.Profile(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	if !v.State.Defined {
		return nil, errNotFound("profile")
	}
	return c.versioned(showProfile(id, v.State.Settings), etag(v.Revision)), nil
}
