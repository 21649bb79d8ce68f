package snapshot

import (
	"cmp"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/staffing"
)

// builder joins facts to a snapshot.
type builder struct {
	*facts
	now      time.Time
	shown    map[domain.QueueID]int // index in out.Queues
	profiles map[domain.ProfileID]directory.Profile
	watchers map[domain.SessionID][]Watcher
	agents   map[domain.StaffID]*Agent
	out      *Snapshot
}

func build(f *facts, queues []domain.QueueID, now time.Time) *Snapshot {
	b := &builder{
		facts: f, now: now, shown: map[domain.QueueID]int{}, profiles: map[domain.ProfileID]directory.Profile{},
		watchers: map[domain.SessionID][]Watcher{}, agents: map[domain.StaffID]*Agent{},
		out: &Snapshot{AsOf: now, Position: f.position},
	}
	for _, p := range f.profiles {
		b.profiles[p.ID] = p
	}
	for _, w := range f.watches {
		joined := !w.JoinedAt.IsZero() && !w.JoinedAt.After(now)
		b.watchers[w.SessionID] = append(b.watchers[w.SessionID], Watcher{w.Supervisor, w.StartedAt, joined})
	}
	for _, q := range f.queues {
		if queues == nil || slices.Contains(queues, q.ID) {
			b.addQueue(q)
		}
	}
	for i := range f.onDuty {
		b.addAgent(&f.onDuty[i])
	}
	slices.SortFunc(f.sessions, func(x, y sessions.Session) int { return cmp.Compare(x.Key, y.Key) })
	for i := range f.sessions {
		b.addSession(&f.sessions[i])
	}
	for i := range b.out.Queues {
		b.out.Queues[i].Alert = alert(&b.out.Queues[i])
	}
	for _, m := range f.onDuty {
		if a := b.agents[m.ID]; a != nil {
			b.out.Agents = append(b.out.Agents, *a)
		}
	}
	return b.out
}

func (b *builder) addQueue(q directory.Queue) {
	day := b.today[q.ID]
	out := Queue{
		ID: q.ID, Name: q.Name, ServiceLevelMS: q.ServiceLevelMS, OfferedToday: day.Offered, AnsweredToday: day.Answered,
		AnsweredInTargetToday: day.AnsweredInTarget, AbandonedToday: day.Abandoned, ShortAbandonedToday: day.ShortAbandoned,
	}
	if day.Offered > 0 {
		level := float64(day.AnsweredInTarget) / float64(day.Offered)
		out.ServiceLevelToday = &level
	}
	b.shown[q.ID] = len(b.out.Queues)
	b.out.Queues = append(b.out.Queues, out)
}

func (b *builder) addAgent(m *staffing.Member) {
	profile := b.profiles[m.ProfileID]
	a := &Agent{
		ID: m.ID, Name: m.Name, ProfileID: m.ProfileID, Status: m.Status, StatusType: m.Status.Type(),
		TimeInStatusMS: domain.MillisBetween(m.StatusSince, b.now), SessionsInUse: len(m.Slots), MaxSessions: profile.MaxSessions,
		IdleSessions: max(0, profile.MaxSessions-len(m.Slots)),
	}
	for _, q := range profile.Queues {
		i, shown := b.shown[q]
		if !shown {
			continue
		}
		b.agents[m.ID] = a
		queue := &b.out.Queues[i]
		queue.AgentsLoggedIn++
		if a.StatusType == staff.TypeAvailable {
			queue.AgentsAvailable++
			queue.IdleSessions += a.IdleSessions
		}
	}
}

func (b *builder) addSession(s *sessions.Session) {
	i, shown := b.shown[s.QueueID]
	if !shown {
		return
	}
	out := Session{
		ID: s.ID, QueueID: s.QueueID, QueueName: s.QueueName, Customer: s.Customer, State: s.State, RequestedAt: s.RequestedAt,
		TimeInStateMS: domain.MillisBetween(s.StateSince, b.now), WaitMS: s.WaitMS, DurationMS: domain.MillisBetween(s.RequestedAt, b.now),
		LastCustomerMessageAgeMS: age(s.LastCustomerMessageAt, b.now), LastAgentMessageAgeMS: age(s.LastAgentMessageAt, b.now),
		Messages: s.Messages, HelpRequested: !s.HelpRequestedAt.IsZero(), MonitoredBy: b.watchers[s.ID],
	}
	if s.AgentID != "" {
		out.Agent = &session.StaffRef{ID: s.AgentID, Name: s.AgentName}
	}
	if !s.EndedAt.IsZero() {
		out.DurationMS = domain.MillisBetween(s.RequestedAt, s.EndedAt)
	}
	if s.State.Waiting() {
		out.WaitMS += domain.MillisBetween(s.QueuedAt, b.now)
	}
	b.count(&b.out.Queues[i], s, &out)
	b.out.Sessions = append(b.out.Sessions, out)
}

// count adds a session to its queue and its agent.
func (b *builder) count(q *Queue, s *sessions.Session, out *Session) {
	if len(out.MonitoredBy) > 0 {
		q.Monitored++
	}
	switch {
	case s.State.Waiting():
		q.Waiting++
		q.OldestWaitMS = oldest(q.OldestWaitMS, domain.MillisBetween(s.QueuedAt, b.now))
	case s.State == session.WrapUp:
		q.InWrapUp++
	case s.State == session.Engaged:
		q.Engaged++
		if a := b.agents[s.AgentID]; a != nil {
			a.OldestSessionMS = oldest(a.OldestSessionMS, out.TimeInStateMS)
			a.HelpRequested = a.HelpRequested || out.HelpRequested
		}
	}
}

func oldest(before *domain.Millis, ms domain.Millis) *domain.Millis {
	if before != nil && *before >= ms {
		return before
	}
	return &ms
}

func age(at, now time.Time) *domain.Millis {
	if at.IsZero() {
		return nil
	}
	ms := domain.MillisBetween(at, now)
	return &ms
}

func alert(q *Queue) Alert {
	switch {
	case q.OldestWaitMS == nil:
		return OK
	case *q.OldestWaitMS > q.ServiceLevelMS:
		return Breached
	case *q.OldestWaitMS*4 >= q.ServiceLevelMS*3:
		return Warning
	}
	return OK
}
