package sessions

import (
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// state is a session's rows: those of the session, and what has not ended of the others.
type state struct {
	step     *stepRow
	activity *activityRow
	segment  *segmentRow // while it waits
	leg      *legRow     // while an agent has it or wraps it up
	watches  []*monitoringRow
}

type fold struct {
	steps       *projections.States[stepRow]
	activities  *projections.States[activityRow]
	segments    *projections.States[segmentRow]
	legs        *projections.States[legRow]
	monitorings *projections.States[monitoringRow]
	quarters    *projections.Counters[quarterKey, quarterRow]
	handling    *projections.Counters[handlingKey, handlingRow]
}

// New makes the projection.
func New() projections.Projection {
	f := &fold{
		steps:       projections.NewStates(stepTable),
		activities:  projections.NewStates(activityTable),
		segments:    projections.NewStates(segmentTable),
		legs:        projections.NewStates(legTable),
		monitorings: projections.NewStates(monitoringTable),
		quarters: projections.NewCounters(quarterTable, func(k quarterKey) quarterRow {
			return quarterRow{QueueID: k.queue, BucketAt: time.UnixMicro(k.at).UTC()}
		}),
		handling: projections.NewCounters(handlingTable, func(k handlingKey) handlingRow {
			return handlingRow{AgentID: k.agent, BucketAt: time.UnixMicro(k.at).UTC()}
		}),
	}
	return projections.New(projections.Definition[state]{
		Name: Name, Prefixes: []string{eventcodec.SessionPrefix}, Load: load, Fold: f.fold,
		Emit:    func(s *state) { f.activities.Put(s.activity) },
		Buffers: []projections.Buffer{f.steps, f.activities, f.segments, f.legs, f.monitorings, f.quarters, f.handling},
	})
}

// fold takes an event into the rows. Messages, which are most, touch the row of activity only.
func (f *fold) fold(s *state, e *eventcodec.Envelope) error {
	event, ok := e.Event.(session.Event)
	if !ok {
		return projections.NotOfStream(e)
	}
	at := e.Metadata.OccurredAt
	if e.Revision == 0 {
		requested, ok := event.(session.SessionRequested)
		if !ok {
			return projections.NotOfStream(e)
		}
		f.request(s, int64(e.Position), e.SessionID(), requested)
	}
	s.activity.Revision = e.Revision
	switch event := event.(type) {
	case session.PublicMessageSent:
		f.publicMessage(s, event, at)
		return nil
	case session.PrivateMessageSent:
		s.activity.PrivateMessages++
		if w := s.watch(domain.StaffID(event.Sender.ID)); w != nil {
			w.PrivateMessages++
			f.monitorings.Put(w)
		}
		return nil
	case session.MessageRedacted, session.ParticipantLeft:
		return nil
	}
	f.supervise(s, event, e)
	f.wait(s, event, e)
	f.serve(s, event, e)
	f.steps.Put(s.step)
	return nil
}

func (f *fold) request(s *state, key int64, id domain.SessionID, e session.SessionRequested) {
	s.step = &stepRow{
		SessionKey: key, SessionID: id, CustomerName: e.Customer.Name, CustomerEmail: e.Customer.Email,
		RequestedAt: e.RequestedAt, RequestedQueueID: e.Queue.ID, QueueID: e.Queue.ID, QueueName: e.Queue.Name,
		State: session.Queued, StateSince: e.RequestedAt, QueuedAt: e.RequestedAt,
	}
	s.activity = &activityRow{SessionKey: key}
	f.steps.Add(s.step)
	f.activities.Add(s.activity)
}

func (f *fold) publicMessage(s *state, e session.PublicMessageSent, at time.Time) {
	s.activity.Messages++
	switch e.Sender.Role {
	case domain.RoleCustomer:
		s.activity.CustomerMessages++
		s.activity.LastCustomerMessageAt = at
	case domain.RoleAgent:
		s.activity.AgentMessages++
		s.activity.LastAgentMessageAt = at
		if s.step.FirstResponseMS == nil {
			s.step.FirstResponseMS = millis(s.step.RequestedAt, at)
			f.steps.Put(s.step)
			f.countResponse(s.step)
		}
	default:
		s.activity.SupervisorMessages++
		if w := s.watch(domain.StaffID(e.Sender.ID)); w != nil {
			w.PublicMessages++
			f.monitorings.Put(w)
		}
	}
}

// supervise takes in what supervisors do.
func (f *fold) supervise(s *state, event session.Event, e *eventcodec.Envelope) {
	at := e.Metadata.OccurredAt
	switch event := event.(type) {
	case session.SupervisorStartedMonitoring:
		s.step.Watches++
		w := &monitoringRow{
			MonitoringKey: int64(e.Position), SessionKey: s.step.SessionKey, SessionID: s.step.SessionID,
			SupervisorID: event.Supervisor.ID, SupervisorName: event.Supervisor.Name, QueueID: event.QueueID,
			AgentID: event.Agent.ID, AgentName: event.Agent.Name, Reason: event.Reason, StartedAt: at,
		}
		s.watches = append(s.watches, w)
		f.monitorings.Add(w)
	case session.SupervisorJoined:
		if w := s.watch(event.Supervisor.ID); w != nil {
			w.JoinedAt = at
			f.monitorings.Put(w)
		}
	case session.SupervisorStoppedMonitoring:
		w := s.watch(event.Supervisor.ID)
		if w == nil {
			return
		}
		w.EndedAt, w.EndReason, w.WatchedMS, w.Span = at, event.Reason, millis(w.StartedAt, at), readstore.Span(w.StartedAt, at)
		f.monitorings.Put(w)
		s.watches = slices.DeleteFunc(s.watches, func(other *monitoringRow) bool { return other == w })
	case session.HelpRequested:
		s.step.HelpRequests++
		s.step.HelpRequestedAt = at
	case session.HelpResolved:
		if !s.step.HelpRequestedAt.IsZero() {
			took := domain.MillisBetween(s.step.HelpRequestedAt, at)
			f.countHelp(s.step, took)
			s.step.Helped++
			s.step.TimeToHelpMS += took
			s.step.HelpRequestedAt = time.Time{}
		}
	}
}

func (s *state) watch(id domain.StaffID) *monitoringRow {
	for _, w := range s.watches {
		if w.SupervisorID == id {
			return w
		}
	}
	return nil
}

// enter brings the session into a state.
func (s *state) enter(p session.Phase, at time.Time) { s.step.State, s.step.StateSince = p, at }

func millis(from, to time.Time) *int64 {
	ms := int64(domain.MillisBetween(from, to))
	return &ms
}
