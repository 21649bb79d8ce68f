package session_test

import (
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
)

// withWrapUp is a session that ann serves in a queue that grants a wrap-up of 30 s.
func withWrapUp() []event {
	q := billing
	q.WrapUpMS = 30_000
	joined := joinedAgent("ann")
	joined.Queue = q
	return []event{
		session.SessionRequested{SessionID: chat, Queue: q, Customer: customer, RequestedAt: at(0)},
		session.SessionQueued{Queue: q, QueuedAt: at(0)},
		joined,
	}
}

func TestRule11EveryMonitoringEndsWithTheSessionAndNobodyIsToldThatTheyLeft(t *testing.T) {
	ended := given(t, engaged(), joinedBy("sue"), watchedBy("sam")).When(conclude(agent("ann"))).Then(
		concluded()[0], stopped("sue", session.MonitorSessionEnded), stopped("sam", session.MonitorSessionEnded))
	if len(ended.State.Watchers) != 0 {
		t.Errorf("watchers: %+v", ended.State.Watchers)
	}
}

func TestACustomerWhoLeavesAServedSessionConcludesIt(t *testing.T) {
	given(t, engaged(), watchedBy("sue")).When(session.Leave{At: at(30)}).Then(
		session.ParticipantLeft{Participant: fromCustomer()},
		session.SessionConcluded{
			Agent: ref("ann"), ReservationID: "chat-ann", Reason: session.ConcludedByCustomer, By: session.Actor{Role: domain.RoleCustomer, Name: "Cora"},
		},
		stopped("sue", session.MonitorSessionEnded))
}

func TestACustomerWhoLeavesWhileWaitingAbandonsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		seconds int
		short   bool
	}{"soon": {4, true}, "at the threshold": {5, false}, "late": {40, false}} {
		t.Run(name, func(t *testing.T) {
			gone := session.SessionAbandoned{Queue: billing, WaitedMS: domain.Millis(c.seconds * 1000), Short: c.short}
			given(t, requested()).When(session.Leave{At: at(c.seconds)}).Then(gone)
			given(t, requested(), offeredTo("ann")).When(session.Leave{At: at(c.seconds)}).Then(
				session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferEnded}, gone)
		})
	}
}

func TestRule11AWatchOfASessionThatWaitsAgainEndsWhenTheCustomerLeaves(t *testing.T) {
	given(t, engaged(), watchedBy("sue"), requeued(billing)).When(session.Leave{At: at(26)}).Then(
		session.SessionAbandoned{Queue: billing, WaitedMS: 6000}, stopped("sue", session.MonitorSessionEnded))
}

func TestRule15ASupervisorOrAdministratorClosesASessionAndIsNamed(t *testing.T) {
	for role, p := range map[domain.Role]session.Standing{domain.RoleSupervisor: supervisor("sam"), domain.RoleAdmin: admin()} {
		by := session.Actor{ID: string(p.ID), Role: role, Name: p.Name}
		given(t, withWrapUp()).When(conclude(p)).Then(session.SessionConcluded{
			Agent: ref("ann"), ReservationID: "chat-ann", Reason: session.ConcludedBySupervisor, By: by,
		})
		given(t, requested(), offeredTo("ann")).When(conclude(p)).Then(
			session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferEnded},
			session.SessionConcluded{Reason: session.ConcludedBySupervisor, By: by})
	}
}

func TestTheAgentWrapsUpWhereTheQueueGrantsIt(t *testing.T) {
	wrapping := given(t, withWrapUp()).When(conclude(agent("ann"))).Then(wrappingUp()[0])
	done := conclude(agent("ann"))
	done.Disposition = "solved"
	completed := session.WrapUpCompleted{Agent: ref("ann"), Disposition: "solved"}
	wrapping.When(done).Then(completed).When(done).ThenRejected(domain.SessionEnded)
	wrapping.When(session.EndWrapUp{}).Then(session.WrapUpCompleted{Agent: ref("ann"), TimedOut: true}).
		When(session.EndWrapUp{}).ThenNothing()
}

func TestADispositionAtTheEndNeedsNoWrapUp(t *testing.T) {
	done := conclude(agent("ann"))
	done.Disposition = "solved"
	s := given(t, withWrapUp()).When(done).Then(concluded()[0], session.WrapUpCompleted{Agent: ref("ann"), Disposition: "solved"})
	if s.State.Phase != session.Concluded || s.State.Disposition != "solved" {
		t.Errorf("%+v", s.State)
	}
	done.Disposition = strings.Repeat("x", domain.MaxName+1)
	given(t, withWrapUp()).When(done).ThenRejected(domain.TextTooLarge)
}

func TestConcludingIsForTheAgentAndTheSupervisorsOfTheQueue(t *testing.T) {
	given(t, engaged()).When(conclude(agent("bob"))).ThenRejected(domain.Missing)
	given(t, engaged(), watchedBy("sue"), requeued(sales), []event{joinedAgent("eve")}).When(conclude(supervisor("sue"))).
		ThenRejected(domain.NotAParticipant)
	given(t, requested(), offeredTo("ann")).When(conclude(agent("ann"))).ThenRejected(domain.SessionNotEngaged)
}
