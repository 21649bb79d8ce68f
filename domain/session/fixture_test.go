package session_test

import (
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
)

type (
	event    = session.Event
	scenario = domaintest.Scenario[session.State, session.Command, session.Event]
)

func given(t testing.TB, histories ...[]event) scenario {
	t.Helper()
	var history []event
	for _, h := range histories {
		history = append(history, h...)
	}
	return domaintest.Decider[session.State, session.Command, session.Event]{
		Decide: session.Decide, Evolve: session.Evolve,
	}.Given(t, history...)
}

// at is so many seconds after the request.
func at(seconds int) time.Time {
	return time.Date(2026, 3, 4, 9, 0, seconds, 0, time.UTC)
}

const chat = domain.SessionID("0195a000-0000-7000-8000-000000000001")

// Two queues: sessions begin in billing.
var (
	billing = session.QueueRef{ID: "billing", Name: "Billing", ServiceLevelMS: 30_000, ShortAbandonMS: 5_000, OfferTimeoutMS: 30_000}
	sales   = session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 20_000, ShortAbandonMS: 5_000, OfferTimeoutMS: 20_000}
)

func ref(id domain.StaffID) session.StaffRef {
	return session.StaffRef{ID: id, Name: "Name of " + string(id)}
}

// agent is a logged-in member with chat in the queues, billing when there are none.
func agent(id domain.StaffID, queues ...domain.QueueID) session.Standing {
	if len(queues) == 0 {
		queues = []domain.QueueID{"billing"}
	}
	return session.Standing{StaffRef: ref(id), LoggedIn: true, Chat: true, AllowDecline: true, Queues: queues}
}

// supervisor is an agent who may monitor.
func supervisor(id domain.StaffID, queues ...domain.QueueID) session.Standing {
	p := agent(id, queues...)
	p.Supervisor, p.Monitor = true, true
	return p
}

func admin() session.Standing {
	return session.Standing{StaffRef: session.StaffRef{ID: "root"}, Admin: true}
}

func by(p session.Standing) *session.Standing { return &p }

func sender(id domain.StaffID, role domain.Role) session.Sender {
	return session.Sender{ID: string(id), Role: role, Name: "Name of " + string(id)}
}

var customer = session.Customer{Name: "Cora", Email: "cora@example.com"}

func fromCustomer() session.Sender { return session.Sender{Role: domain.RoleCustomer, Name: "Cora"} }

// Histories. Each is a piece that follows the one before.

func requested() []event {
	return []event{
		session.SessionRequested{SessionID: chat, Queue: billing, Customer: customer, Question: "Help?", RequestedAt: at(0)},
		session.SessionQueued{Queue: billing, QueuedAt: at(0)},
	}
}

func offeredTo(id domain.StaffID) []event {
	return []event{session.SessionOffered{Agent: ref(id), ReservationID: "offer-" + string(id), ExpiresAt: at(30)}}
}

func joinedAgent(id domain.StaffID) session.AgentJoined {
	return session.AgentJoined{
		Agent: ref(id), ReservationID: "chat-" + string(id), JoinedAt: at(10), Queue: billing, WaitedMS: 10_000, First: true,
	}
}

// engaged is a session that ann serves.
func engaged() []event { return append(requested(), joinedAgent("ann")) }

func watchedBy(id domain.StaffID) []event {
	return []event{session.SupervisorStartedMonitoring{
		Supervisor: ref(id), ReservationID: "watch-" + string(id), QueueID: "billing", Agent: ref("ann"),
	}}
}

func joinedBy(id domain.StaffID) []event {
	return append(watchedBy(id), session.SupervisorJoined{Supervisor: ref(id)})
}

func stopped(id domain.StaffID, reason string) session.SupervisorStoppedMonitoring {
	return session.SupervisorStoppedMonitoring{Supervisor: ref(id), ReservationID: "watch-" + string(id), Reason: reason}
}

func left(id domain.StaffID) session.ParticipantLeft {
	return session.ParticipantLeft{Participant: sender(id, domain.RoleSupervisor)}
}

// requeued is what a transfer by ann to a queue leaves.
func requeued(to session.QueueRef) []event {
	return []event{
		session.SessionTransferred{
			FromQueueID: "billing", From: ref("ann"), FromReservationID: "chat-ann", ToQueueID: to.ID, ToQueueName: to.Name,
			By: session.Actor{ID: "ann", Role: domain.RoleAgent, Name: "Name of ann"},
		},
		session.SessionQueued{Queue: to, QueuedAt: at(20)},
	}
}

func concluded() []event {
	return []event{session.SessionConcluded{
		Agent: ref("ann"), ReservationID: "chat-ann", Reason: session.ConcludedByAgent,
		By: session.Actor{ID: "ann", Role: domain.RoleAgent, Name: "Name of ann"},
	}}
}

func wrappingUp() []event {
	until := at(60)
	return []event{session.SessionConcluded{
		Agent: ref("ann"), ReservationID: "chat-ann", Reason: session.ConcludedByAgent, WrapUpUntil: &until,
		By: session.Actor{ID: "ann", Role: domain.RoleAgent, Name: "Name of ann"},
	}}
}

func abandoned() []event {
	return []event{session.SessionAbandoned{Queue: billing, WaitedMS: 4000, Short: true}}
}

// Commands.

func public(p *session.Standing) session.Send {
	return session.Send{By: p, MessageID: "m1", Visibility: session.Public, Text: "hello", AgentPrivateReply: queue.AfterJoin}
}

func private(p *session.Standing) session.Send {
	c := public(p)
	c.Visibility = session.Private
	return c
}

func watch(p session.Standing) session.Watch {
	return session.Watch{By: p, ReservationID: "watch-" + string(p.ID)}
}

func accept(p session.Standing) session.Accept {
	return session.Accept{By: p, ReservationID: "chat-" + string(p.ID), At: at(10)}
}

func transferTo(p, to session.Standing) session.Transfer {
	return session.Transfer{By: p, To: &to, ReservationID: "chat-" + string(to.ID), At: at(20)}
}

func transferInto(p session.Standing, to session.QueueRef) session.Transfer {
	return session.Transfer{By: p, ToQueue: &to, At: at(20)}
}

func conclude(p session.Standing) session.Conclude { return session.Conclude{By: p, At: at(30)} }
