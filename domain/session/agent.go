package session

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

// The agent's side: offers, acceptance, help, transfer and the end.

func offerTo(s State, c OfferTo) ([]Event, error) {
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case s.Phase != Queued:
		return nil, domain.Reject(domain.StaleRevision, "the session is not waiting for an offer")
	}
	if _, watching := s.Watcher(c.Agent.ID); watching {
		// One session takes one slot, and theirs is held for the watch: an offer that ends would take it away.
		return nil, domain.Reject(domain.AlreadyMonitoring, "the session is being monitored by the agent")
	}
	return []Event{SessionOffered(c)}, nil
}

func accept(s State, c Accept) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case c.By.Admin:
		return nil, notAParticipant("an agent")
	case !c.By.LoggedIn:
		return nil, notLoggedIn()
	case s.ServedBy(c.By.ID) && s.Agent.Assigned:
		return nil, nil
	case s.ServedBy(c.By.ID):
		return nil, domain.Reject(domain.AlreadyJoined, "the caller is the agent of the session already")
	case s.Phase == Engaged:
		return nil, domain.Reject(domain.StaleRevision, "the session is no longer waiting")
	case !s.OfferedTo(c.By.ID) && !c.By.Chat:
		return nil, domain.Reject(domain.NotPermitted, "the profile does not have chat")
	case !s.OfferedTo(c.By.ID) && !c.By.serves(s.Queue.ID):
		return nil, domain.Reject(domain.QueueNotInProfile, "the session waits in a queue that is not in the profile")
	}
	var events []Event
	if s.Phase == Offered && s.Offer.Agent.ID != c.By.ID {
		// A session that waits is for whoever comes first; the other's offer ends.
		events = append(events, s.expire(OfferTaken))
	}
	return append(events, s.engage(c.By.StaffRef, c.ReservationID, false, c.At)...), nil
}

// engage gives the session its agent, who stops watching it if they did.
func (s State) engage(agent StaffRef, reservation string, assigned bool, at time.Time) []Event {
	var events []Event
	if w, ok := s.Watcher(agent.ID); ok {
		events = append(events, stopWatching(w, MonitorBecameAgent)...)
	}
	var waited domain.Millis // nothing from agent to agent
	if s.Phase.Waiting() {
		waited = domain.MillisBetween(s.QueuedAt, at)
	}
	return append(events, AgentJoined{
		Agent: agent, ReservationID: reservation, Assigned: assigned, JoinedAt: at,
		Queue: s.Queue, WaitedMS: waited, First: s.EngagedAt.IsZero(),
	})
}

func (s State) expire(reason string) OfferExpired {
	return OfferExpired{Agent: s.Offer.Agent, ReservationID: s.Offer.ReservationID, Reason: reason}
}

func decline(s State, c Decline) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case s.ServedBy(c.By.ID):
		return nil, domain.Reject(domain.AlreadyJoined, "the caller is the agent of the session already")
	case !s.OfferedTo(c.By.ID):
		return nil, notAParticipant("the agent whom the session is offered to")
	case !c.By.AllowDecline:
		return nil, domain.Reject(domain.NotPermitted, "the profile does not allow to decline")
	}
	return []Event{OfferDeclined{Agent: s.Offer.Agent, ReservationID: s.Offer.ReservationID}}, nil
}

func expireOffer(s State, c ExpireOffer) ([]Event, error) {
	if s.Phase != Offered || s.Offer.ReservationID != c.ReservationID {
		return nil, nil
	}
	return []Event{s.expire(c.Reason)}, nil
}

func requestHelp(s State, c RequestHelp) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	if err := domain.CheckOptionalText("note", c.Note, domain.MaxText); err != nil {
		return nil, err
	}
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case s.Phase != Engaged:
		return nil, notEngaged()
	case !s.ServedBy(c.By.ID):
		return nil, notAParticipant("the agent of the session")
	case s.HelpRequested:
		return nil, nil
	}
	return []Event{HelpRequested{Agent: s.Agent.StaffRef, Note: c.Note}}, nil
}

func transfer(s State, c Transfer) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	switch {
	case s.Phase.Ended():
		return nil, ended()
	case !s.ServedBy(c.By.ID) && !c.By.supervises(s):
		return nil, notAParticipant("the agent of the session, a supervisor of its queue or an administrator")
	}
	moved := SessionTransferred{
		FromQueueID: s.Queue.ID, ToQueueID: s.Queue.ID, ToQueueName: s.Queue.Name,
		By: c.By.actor(s),
	}
	if s.Phase == Engaged {
		moved.From, moved.FromReservationID = s.Agent.StaffRef, s.Agent.ReservationID
	}
	var events []Event
	if s.Phase == Offered {
		events = append(events, s.expire(OfferMoved))
	}
	if c.To != nil {
		return s.transferTo(events, moved, c)
	}
	moved.ToQueueID, moved.ToQueueName = c.ToQueue.ID, c.ToQueue.Name
	if s.Phase != Engaged && c.ToQueue.ID == s.Queue.ID {
		return nil, nil
	}
	return append(events, moved, SessionQueued{Queue: *c.ToQueue, QueuedAt: c.At}), nil
}

func (s State) transferTo(events []Event, moved SessionTransferred, c Transfer) ([]Event, error) {
	switch {
	case s.ServedBy(c.To.ID):
		return nil, domain.Reject(domain.AlreadyJoined, "that staff member has the session already")
	case !c.To.LoggedIn:
		return nil, domain.Reject(domain.NotLoggedIn, "that staff member is not logged in to chat")
	case !c.To.Chat:
		return nil, domain.Reject(domain.NotPermitted, "that staff member's profile does not have chat")
	case !c.To.serves(s.Queue.ID):
		return nil, domain.Reject(domain.QueueNotInProfile, "the queue of the session is not in that staff member's profile")
	}
	moved.To = c.To.StaffRef
	events = append(events, moved)
	return append(events, s.engage(c.To.StaffRef, c.ReservationID, true, c.At)...), nil
}

func conclude(s State, c Conclude) ([]Event, error) {
	if !s.VisibleTo(c.By) {
		return nil, notFound()
	}
	if err := domain.CheckOptionalText("disposition", c.Disposition, domain.MaxName); err != nil {
		return nil, err
	}
	mine := s.Agent.ID == c.By.ID && !c.By.Admin
	switch {
	case s.Phase == WrapUp && (mine || c.By.supervises(s)):
		return []Event{WrapUpCompleted{Agent: s.Agent.StaffRef, Disposition: c.Disposition}}, nil
	case s.Phase.Ended():
		return nil, ended()
	case s.ServedBy(c.By.ID):
		return s.end(ConcludedByAgent, c.By.actor(s), c), nil
	case c.By.supervises(s):
		return s.end(ConcludedBySupervisor, c.By.actor(s), c), nil
	case s.Phase.Waiting():
		return nil, notEngaged()
	}
	return nil, notAParticipant("the agent of the session, a supervisor of its queue or an administrator")
}

// end concludes the session: every offer and every monitoring ends with it (rule 11). The agent has a wrap-up when the
// queue grants one and the disposition is not given already.
func (s State) end(reason string, by Actor, c Conclude) []Event {
	var events []Event
	if s.Phase == Offered {
		events = append(events, s.expire(OfferEnded))
	}
	concluded := SessionConcluded{Reason: reason, By: by}
	engaged := s.Phase == Engaged
	if engaged {
		concluded.Agent, concluded.ReservationID = s.Agent.StaffRef, s.Agent.ReservationID
	}
	wrapUp := engaged && s.Queue.WrapUpMS > 0 && c.Disposition == "" && reason != ConcludedBySupervisor
	if wrapUp {
		until := c.At.Add(s.Queue.WrapUpMS.Duration())
		concluded.WrapUpUntil = &until
	}
	events = append(events, concluded)
	if engaged && c.Disposition != "" {
		events = append(events, WrapUpCompleted{Agent: s.Agent.StaffRef, Disposition: c.Disposition})
	}
	return append(events, s.endWatches()...)
}

// endWatches ends every monitoring with the session. Nobody has to be told that a participant left: it is over for all.
func (s State) endWatches() []Event {
	events := make([]Event, 0, len(s.Watchers))
	for _, w := range s.Watchers {
		events = append(events, SupervisorStoppedMonitoring{
			Supervisor: w.StaffRef, ReservationID: w.ReservationID, Reason: MonitorSessionEnded,
		})
	}
	return events
}

func endWrapUp(s State) ([]Event, error) {
	if s.Phase != WrapUp {
		return nil, nil
	}
	return []Event{WrapUpCompleted{Agent: s.Agent.StaffRef, TimedOut: true}}, nil
}
