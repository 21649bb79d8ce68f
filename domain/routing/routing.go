// Package routing decides whom a waiting session is offered to (rule 14), and when an offer or a wrap-up is over. It reads
// the log into a picture of who waits and who could take them; it carries nothing out, and never decides whether an agent
// really has an idle session: the staff stream does, and may refuse.
package routing

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// Fact is an event of the log as routing needs it. SessionID is set for session events.
type Fact struct {
	SessionID domain.SessionID
	At        time.Time
	Event     any
}

// Chat is a session that has not ended, as routing sees it.
type Chat struct {
	QueueID  domain.QueueID           `json:"queue_id"`
	QueuedAt time.Time                `json:"queued_at"`
	Phase    session.Phase            `json:"phase"`
	Offer    Offered                  `json:"offer"`
	WrapUp   time.Time                `json:"wrap_up"`  // until when
	Passed   map[domain.StaffID]*Pass `json:"passed"`   // who has let it pass in this segment
	OfferFor domain.Millis            `json:"offer_ms"` // how long an offer holds
}

// Offered is an open offer.
type Offered struct {
	ReservationID string    `json:"reservation_id"`
	ExpiresAt     time.Time `json:"expires_at"`
}

// Pass is an agent's passing a session by: for good when declined, until a time when the offer expired.
type Pass struct {
	Declined bool      `json:"declined"`
	Until    time.Time `json:"until"`
}

// Agent is a staff member as routing sees them.
type Agent struct {
	ProfileID domain.ProfileID              `json:"profile_id"`
	LoggedIn  bool                          `json:"logged_in"`
	Available bool                          `json:"available"`
	InUse     map[domain.SessionID]struct{} `json:"in_use"`
	IdleSince time.Time                     `json:"idle_since"` // last given, rid of, or open to work
}

// State is the picture at a place of the log. Its size follows what is live. It belongs to one process and is changed in
// place.
type State struct {
	Chats    map[domain.SessionID]*Chat             `json:"chats"`
	Agents   map[domain.StaffID]*Agent              `json:"agents"`
	Profiles map[domain.ProfileID]*profile.Settings `json:"profiles"`

	queued map[domain.SessionID]struct{} // the chats that wait without an offer
	timed  map[domain.SessionID]struct{} // the chats with an offer or a wrap-up
}

// NewState is the state at the start of the log.
func NewState() *State {
	return &State{
		Chats:    map[domain.SessionID]*Chat{},
		Agents:   map[domain.StaffID]*Agent{},
		Profiles: map[domain.ProfileID]*profile.Settings{},
		queued:   map[domain.SessionID]struct{}{},
		timed:    map[domain.SessionID]struct{}{},
	}
}

// Restore completes a state that was stored.
func Restore(stored State) *State {
	s := NewState()
	if stored.Chats != nil {
		s.Chats, s.Agents, s.Profiles = stored.Chats, stored.Agents, stored.Profiles
	}
	for id := range s.Chats {
		s.index(id)
	}
	return s
}

// index keeps the sets of what Plan and Due look at.
func (s *State) index(id domain.SessionID) {
	delete(s.queued, id)
	delete(s.timed, id)
	c, ok := s.Chats[id]
	switch {
	case !ok:
	case c.Phase == session.Queued:
		s.queued[id] = struct{}{}
	case c.Phase == session.Offered || c.Phase == session.WrapUp:
		s.timed[id] = struct{}{}
	}
}

// Assume takes an offer that was made into the picture before its events come back from the log.
func (s *State) Assume(o Offer) {
	if c, ok := s.Chats[o.SessionID]; ok && c.Phase == session.Queued {
		c.Phase = session.Offered
		c.Offer.ExpiresAt = farFuture
		s.index(o.SessionID)
	}
	s.agent(o.StaffID).InUse[o.SessionID] = struct{}{}
}

// farFuture stands for an expiry that is not known yet.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Evolve takes a fact into the state.
func Evolve(s *State, f Fact) {
	switch e := f.Event.(type) {
	case profile.ProfileDefined:
		s.Profiles[e.ProfileID] = &e.Settings
	case profile.ProfileChanged:
		s.Profiles[e.ProfileID] = &e.Settings
	case staff.Event:
		s.evolveAgent(f, e)
	case session.Event:
		s.evolveChat(f, e)
		s.index(f.SessionID)
	}
}

func (s *State) agent(id domain.StaffID) *Agent {
	a, ok := s.Agents[id]
	if !ok {
		a = &Agent{InUse: map[domain.SessionID]struct{}{}}
		s.Agents[id] = a
	}
	return a
}

func (s *State) evolveAgent(f Fact, e staff.Event) {
	switch e := e.(type) {
	case staff.StaffRegistered:
		s.agent(e.StaffID).ProfileID = e.ProfileID
	case staff.ProfileAssigned:
		s.agent(e.StaffID).ProfileID = e.ProfileID
	case staff.StaffLoggedIn:
		a := s.agent(e.StaffID)
		a.LoggedIn, a.Available, a.IdleSince = true, e.Status.Type() == staff.TypeAvailable, f.At
	case staff.StaffLoggedOut:
		s.agent(e.StaffID).LoggedIn = false
	case staff.StaffStatusChanged:
		a := s.agent(e.StaffID)
		a.Available, a.IdleSince = e.Status.Type() == staff.TypeAvailable, f.At
	case staff.SlotReserved:
		a := s.agent(e.StaffID)
		a.InUse[e.SessionID] = struct{}{}
		a.IdleSince = f.At
	case staff.SlotReleased:
		a := s.agent(e.StaffID)
		delete(a.InUse, e.SessionID)
		a.IdleSince = f.At
	}
}

func (s *State) evolveChat(f Fact, e session.Event) {
	if requested, ok := e.(session.SessionRequested); ok {
		s.Chats[f.SessionID] = &Chat{Phase: session.Queued, QueueID: requested.Queue.ID, QueuedAt: requested.RequestedAt}
		return
	}
	c, ok := s.Chats[f.SessionID]
	if !ok {
		return
	}
	switch e := e.(type) {
	case session.SessionQueued:
		*c = Chat{Phase: session.Queued, QueueID: e.Queue.ID, QueuedAt: e.QueuedAt, OfferFor: e.Queue.OfferTimeoutMS}
	case session.SessionOffered:
		c.Phase, c.Offer = session.Offered, Offered{e.ReservationID, e.ExpiresAt}
	case session.OfferDeclined:
		c.pass(e.ReservationID, e.Agent.ID, &Pass{Declined: true})
	case session.OfferExpired:
		c.pass(e.ReservationID, e.Agent.ID, &Pass{Until: f.At.Add(c.OfferFor.Duration())})
	case session.AgentJoined:
		c.Phase, c.Offer, c.Passed = session.Engaged, Offered{}, nil
	case session.SessionConcluded:
		if e.WrapUpUntil == nil {
			delete(s.Chats, f.SessionID)
			return
		}
		c.Phase, c.WrapUp = session.WrapUp, *e.WrapUpUntil
	case session.SessionAbandoned, session.WrapUpCompleted:
		delete(s.Chats, f.SessionID)
	}
}

func (c *Chat) pass(reservation string, who domain.StaffID, p *Pass) {
	if c.Passed == nil {
		c.Passed = map[domain.StaffID]*Pass{}
	}
	c.Passed[who] = p
	if c.Offer.ReservationID == reservation {
		c.Phase, c.Offer = session.Queued, Offered{}
	}
}
