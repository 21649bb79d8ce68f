package sessions

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// wait takes in what concerns waiting: queues and offers.
func (f *fold) wait(s *state, event session.Event, e *eventcodec.Envelope) {
	at := e.Metadata.OccurredAt
	switch event := event.(type) {
	case session.SessionQueued:
		f.enqueue(s, event, int64(e.Position))
	case session.SessionOffered:
		s.step.Offers++
		s.enter(session.Offered, at)
		s.step.OfferedToID, s.step.OfferReservationID = event.Agent.ID, event.ReservationID
		s.step.OfferExpiresAt = event.ExpiresAt
	case session.OfferDeclined:
		s.step.Declines++
		s.withdraw(event.ReservationID, at)
	case session.OfferExpired:
		s.step.Expiries++
		s.withdraw(event.ReservationID, at)
	case session.SessionAbandoned:
		outcome := outcomeAbandoned
		if event.Short {
			outcome = outcomeShortAbandoned
		}
		f.dequeue(s, outcome, event.WaitedMS, at)
		s.step.ShortAbandon, s.step.EndReason = event.Short, "abandoned"
		s.step.EndedAt, s.step.CompletedAt = at, at
		s.enter(session.Abandoned, at)
		s.clearOffer()
	}
}

func (f *fold) enqueue(s *state, e session.SessionQueued, position int64) {
	s.step.Segments++
	s.step.QueueID, s.step.QueueName, s.step.QueuedAt = e.Queue.ID, e.Queue.Name, e.QueuedAt
	s.enter(session.Queued, e.QueuedAt)
	s.clearOffer()
	s.segment = &segmentRow{
		SegmentKey: position, SessionKey: s.step.SessionKey, QueueID: e.Queue.ID, QueueName: e.Queue.Name,
		ServiceLevelMS: e.Queue.ServiceLevelMS, EnqueuedAt: e.QueuedAt,
	}
	f.segments.Add(s.segment)
	f.quarter(e.Queue.ID, e.QueuedAt).Offered++
}

// dequeue ends the wait, if there is one.
func (f *fold) dequeue(s *state, outcome string, waited domain.Millis, at time.Time) {
	if s.segment == nil {
		return
	}
	ms := int64(waited)
	s.segment.DequeuedAt, s.segment.WaitMS, s.segment.Outcome = at, &ms, outcome
	s.segment.Span = readstore.Span(s.segment.EnqueuedAt, at)
	s.segment.InTarget = outcome == outcomeAnswered && waited <= s.segment.ServiceLevelMS
	s.step.WaitMS += waited
	f.segments.Put(s.segment)
	f.quarter(s.segment.QueueID, s.segment.EnqueuedAt).count(outcome, ms, s.segment.InTarget)
	s.segment = nil
}

// withdraw takes back the offer of a reservation.
func (s *state) withdraw(reservation string, at time.Time) {
	if s.step.OfferReservationID == reservation {
		s.clearOffer()
		s.enter(session.Queued, at)
	}
}

func (s *state) clearOffer() {
	s.step.OfferedToID, s.step.OfferReservationID, s.step.OfferExpiresAt = "", "", time.Time{}
}

// serve takes in what concerns agents: that they come, go and finish.
func (f *fold) serve(s *state, event session.Event, e *eventcodec.Envelope) {
	at := e.Metadata.OccurredAt
	switch event := event.(type) {
	case session.AgentJoined:
		f.join(s, event, int64(e.Position))
	case session.SessionTransferred:
		s.step.Transfers++
		if s.segment != nil {
			s.segment.AgentID = event.To.ID
		}
		f.dequeue(s, outcomeTransferredBy(event), waitedUntil(s, at), at)
		f.endLeg(s, outcomeTransferred, at)
		f.closeLeg(s, at)
		s.step.AgentID, s.step.AgentName, s.step.HelpRequestedAt = "", "", time.Time{}
		s.clearOffer()
	case session.SessionConcluded:
		f.dequeue(s, outcomeClosed, waitedUntil(s, at), at)
		f.endLeg(s, event.Reason, at)
		s.step.EndReason, s.step.EndedAt, s.step.HelpRequestedAt = event.Reason, at, time.Time{}
		s.clearOffer()
		if event.WrapUpUntil != nil {
			s.step.WrapUpUntil = *event.WrapUpUntil
			s.enter(session.WrapUp, at)
			return
		}
		f.closeLeg(s, at)
		s.step.CompletedAt = at
		s.enter(session.Concluded, at)
	case session.WrapUpCompleted:
		s.step.Disposition = event.Disposition
		if s.step.State == session.WrapUp {
			f.closeLeg(s, at)
			s.step.CompletedAt = at
			s.enter(session.Concluded, at)
		}
	}
}

// outcomeTransferredBy is what a transfer makes of a wait: given to somebody, or moved on to wait elsewhere.
func outcomeTransferredBy(e session.SessionTransferred) string {
	if e.To.ID != "" {
		return outcomeAssigned
	}
	return outcomeTransferred
}

func waitedUntil(s *state, at time.Time) domain.Millis {
	return domain.MillisBetween(s.step.QueuedAt, at)
}

func (f *fold) join(s *state, e session.AgentJoined, position int64) {
	if s.segment != nil {
		s.segment.AgentID = e.Agent.ID
	}
	outcome := outcomeAnswered
	if e.Assigned {
		outcome = outcomeAssigned
	}
	f.dequeue(s, outcome, e.WaitedMS, e.JoinedAt)
	s.step.Legs++
	s.step.AgentID, s.step.AgentName = e.Agent.ID, e.Agent.Name
	if s.step.EngagedAt.IsZero() {
		s.step.EngagedAt = e.JoinedAt
	}
	s.enter(session.Engaged, e.JoinedAt)
	s.clearOffer()
	s.leg = &legRow{
		LegKey: position, SessionKey: s.step.SessionKey, AgentID: e.Agent.ID, AgentName: e.Agent.Name,
		QueueID: e.Queue.ID, Assigned: e.Assigned, StartedAt: e.JoinedAt,
	}
	f.legs.Add(s.leg)
	f.countTurn(s.leg)
}

// endLeg ends the agent's conversation; there may be a wrap-up after it.
func (f *fold) endLeg(s *state, reason string, at time.Time) {
	if s.leg == nil || !s.leg.EndedAt.IsZero() {
		return
	}
	s.leg.EndedAt, s.leg.EndReason, s.leg.EngagedMS = at, reason, millis(s.leg.StartedAt, at)
	s.step.EngagedMS += domain.Millis(*s.leg.EngagedMS)
	f.legs.Put(s.leg)
}

// closeLeg ends all of the agent's work on the session.
func (f *fold) closeLeg(s *state, at time.Time) {
	if s.leg == nil {
		return
	}
	s.leg.ClosedAt, s.leg.WrapUpMS, s.leg.Span = at, millis(s.leg.EndedAt, at), readstore.Span(s.leg.StartedAt, at)
	s.step.WrapUpMS += domain.Millis(*s.leg.WrapUpMS)
	f.legs.Put(s.leg)
	f.countHandled(s.leg)
	s.leg = nil
}
