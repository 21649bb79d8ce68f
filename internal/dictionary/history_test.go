package dictionary_test

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

var (
	t0    = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	sales = session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 20_000, ShortAbandonMS: 5_000, WrapUpMS: 30_000}
	anna  = session.StaffRef{ID: "anna", Name: "Anna"}
	ben   = session.StaffRef{ID: "ben", Name: "Ben"}
	sue   = session.StaffRef{ID: "sue", Name: "Sue"}
)

const secret = "what nobody but an auditor reads"

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

type story struct{ *projectiontest.Log }

func (s story) session(id string, second int, events ...session.Event) {
	projectiontest.Append(s.Log, "session-"+id, at(second), events...)
}

func (s story) staff(id domain.StaffID, second int, events ...staff.Event) {
	projectiontest.Append(s.Log, "staff-"+string(id), at(second), events...)
}

func (s story) slot(id domain.StaffID, of string, purpose staff.Purpose, from, to int) {
	r := "of " + of
	s.staff(id, from, staff.SlotReserved{StaffID: id, SessionID: domain.SessionID(of), ReservationID: r, Purpose: purpose})
	s.staff(id, to, staff.SlotReleased{StaffID: id, SessionID: domain.SessionID(of), ReservationID: r})
}

func (s story) requested(id string, second int) {
	s.session(id, second, session.SessionRequested{
		SessionID: domain.SessionID(id), Queue: sales, RequestedAt: at(second), Question: secret,
		Customer: session.Customer{Name: "Carl", Email: "carl@example.org"},
	}, session.SessionQueued{Queue: sales, QueuedAt: at(second)})
}

func (s story) accepted(id string, second, waited int) {
	s.session(id, second, session.AgentJoined{
		Agent: anna, ReservationID: "of " + id, JoinedAt: at(second), Queue: sales, WaitedMS: domain.Millis(waited * 1000), First: true,
	})
}

// history is a short morning in one queue, small enough to be reckoned by hand. Seconds after nine:
//
//	a   0 queued   10 Anna accepts           16 she answers   70 concluded, wrap-up until 80
//	b  20 queued   50 Anna accepts           65 she answers  110 concluded
//	               60 Anna calls for help, 70 Sue watches, 78 Sue whispers, 100 Sue leaves
//	c  30 queued   33 the customer leaves, sooner than 5 s
//	d  30 queued   90 the customer leaves
//	e 100 queued  105 given to Ben          125 concluded
//	f 110 queued   and still waits
//
// All three are available from 0 on; Sue goes at 100, Ben at 125, Anna at 200.
func history() *projectiontest.Log {
	s := story{&projectiontest.Log{}}
	settings := queue.Settings{Name: sales.Name, ServiceLevelMS: 20_000, ShortAbandonMS: 5_000, WrapUpMS: 30_000}
	projectiontest.Append[queue.Event](s.Log, "queue-sales", at(-10), queue.QueueDefined{QueueID: "sales", Settings: settings})
	members := profile.Settings{Name: "Sales", Chat: true, Supervisor: true, Monitor: true, MaxSessions: 3, Queues: []domain.QueueID{"sales"}}
	projectiontest.Append[profile.Event](s.Log, "profile-sales", at(-10), profile.ProfileDefined{ProfileID: "sales", Settings: members})
	for _, p := range []session.StaffRef{anna, ben, sue} {
		s.staff(p.ID, -5, staff.StaffRegistered{StaffID: p.ID, Name: p.Name, ProfileID: "sales"})
		s.staff(p.ID, 0, staff.StaffLoggedIn{StaffID: p.ID, ProfileID: "sales", Status: staff.Available})
	}
	s.sessions()
	s.staff("anna", 10, staff.SlotReserved{StaffID: "anna", SessionID: "a", ReservationID: "of a", Purpose: staff.ForEngagement})
	s.staff("anna", 50, staff.SlotReserved{StaffID: "anna", SessionID: "b", ReservationID: "of b", Purpose: staff.ForEngagement})
	s.staff("anna", 70, staff.SlotReleased{StaffID: "anna", SessionID: "a", ReservationID: "of a"})
	s.staff("anna", 110, staff.SlotReleased{StaffID: "anna", SessionID: "b", ReservationID: "of b"})
	s.staff("anna", 200, staff.StaffLoggedOut{StaffID: "anna"})
	s.slot("ben", "e", staff.ForEngagement, 105, 125)
	s.staff("ben", 125, staff.StaffLoggedOut{StaffID: "ben"})
	s.slot("sue", "b", staff.ForMonitoring, 70, 100)
	s.staff("sue", 100, staff.StaffLoggedOut{StaffID: "sue"})
	return s.Log
}

func (s story) sessions() {
	ofAnna := session.Sender{ID: "anna", Role: domain.RoleAgent, Name: "Anna"}
	ofSue := session.Sender{ID: "sue", Role: domain.RoleSupervisor, Name: "Sue"}
	until := at(100)
	s.requested("a", 0)
	s.accepted("a", 10, 10)
	s.session("a", 16, session.PublicMessageSent{Sender: ofAnna, Text: secret})
	s.session("a", 70, session.SessionConcluded{Agent: anna, Reason: session.ConcludedByAgent, WrapUpUntil: &until})
	s.session("a", 80, session.WrapUpCompleted{Agent: anna, Disposition: "solved"})

	s.requested("b", 20)
	s.accepted("b", 50, 30)
	s.session("b", 60, session.HelpRequested{Agent: anna})
	s.session("b", 65, session.PublicMessageSent{Sender: ofAnna, Text: secret})
	s.session("b", 70, session.SupervisorStartedMonitoring{Supervisor: sue, ReservationID: "of b", QueueID: "sales", Agent: anna})
	s.session("b", 78, session.PrivateMessageSent{Sender: ofSue, Text: secret}, session.HelpResolved{By: sue})
	s.session("b", 100, session.SupervisorStoppedMonitoring{Supervisor: sue, ReservationID: "of b", Reason: session.LeftByThemselves})
	s.session("b", 110, session.SessionConcluded{Agent: anna, Reason: session.ConcludedByAgent})

	s.requested("c", 30)
	s.session("c", 33, session.SessionAbandoned{Queue: sales, WaitedMS: 3_000, Short: true})
	s.requested("d", 30)
	s.session("d", 90, session.SessionAbandoned{Queue: sales, WaitedMS: 60_000})

	s.requested("e", 100)
	s.session("e", 105, session.SessionTransferred{FromQueueID: "sales", ToQueueID: "sales", ToQueueName: "Sales", To: ben},
		session.AgentJoined{Agent: ben, ReservationID: "of e", Assigned: true, JoinedAt: at(105), Queue: sales, WaitedMS: 5_000, First: true})
	s.session("e", 125, session.SessionConcluded{Agent: ben, Reason: session.ConcludedByAgent})

	s.requested("f", 110)
}
