package session_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
)

func TestAChatRequestWaitsInItsQueue(t *testing.T) {
	given(t).When(session.Request{SessionID: chat, Queue: billing, Customer: customer, Question: "Help?", At: at(0)}).
		Then(requested()...)
}

func TestAChatRequestIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		request session.Request
		code    domain.Code
	}{
		"without a name":     {session.Request{Customer: session.Customer{Name: " "}}, domain.InvalidRequest},
		"with a long name":   {session.Request{Customer: session.Customer{Name: strings.Repeat("x", 257)}}, domain.TextTooLarge},
		"with a long e-mail": {session.Request{Customer: session.Customer{Name: "C", Email: strings.Repeat("x", 257)}}, domain.TextTooLarge},
		"with a long text":   {session.Request{Customer: customer, Question: strings.Repeat("x", 32<<10+1)}, domain.TextTooLarge},
		"with a NUL":         {session.Request{Customer: customer, Question: "a\x00b"}, domain.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) { given(t).When(c.request).ThenRejected(c.code) })
	}
}

func TestRule14AWaitingSessionIsOfferedUntilATime(t *testing.T) {
	given(t, requested()).When(session.OfferTo{Agent: ref("ann"), ReservationID: "offer-ann", ExpiresAt: at(30)}).Then(offeredTo("ann")...)
}

func TestASessionIsNotOfferedToWhoWatchesIt(t *testing.T) {
	// The slot of the watch would become the offer's and be gone with it.
	given(t, engaged(), watchedBy("sue"), requeued(billing)).
		When(session.OfferTo{Agent: ref("sue"), ReservationID: "offer-sue", ExpiresAt: at(30)}).
		ThenRejected(domain.AlreadyMonitoring)
}

func TestAnAcceptedSessionHasItsAgent(t *testing.T) {
	given(t, requested(), offeredTo("ann")).When(accept(agent("ann"))).Then(joinedAgent("ann"))
	given(t, requested()).When(accept(agent("ann"))).Then(joinedAgent("ann"))
}

func TestAPullTakesASessionThatIsOfferedToAnother(t *testing.T) {
	given(t, requested(), offeredTo("ann")).When(accept(agent("bob"))).Then(
		session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferTaken}, joinedAgent("bob"))
}

func TestAcceptIsRefused(t *testing.T) {
	off, noChat := agent("ann"), agent("ann")
	off.LoggedIn, noChat.Chat = false, false
	lead := supervisor("ann")
	lead.Chat = false
	for name, c := range map[string]struct {
		history []event
		by      session.Standing
		code    domain.Code
	}{
		"to who is logged out":               {slices.Concat(requested(), offeredTo("ann")), off, domain.NotLoggedIn},
		"to who cannot see it":               {requested(), noChat, domain.Missing},
		"to a supervisor without chat":       {requested(), lead, domain.NotPermitted},
		"to a watcher from another queue":    {slices.Concat(engaged(), watchedBy("sue"), requeued(sales)), supervisor("sue"), domain.QueueNotInProfile},
		"to its agent":                       {engaged(), agent("ann"), domain.AlreadyJoined},
		"to a supervisor while it is served": {engaged(), supervisor("sue"), domain.StaleRevision},
		"to an administrator":                {requested(), admin(), domain.NotAParticipant},
	} {
		t.Run(name, func(t *testing.T) { given(t, c.history).When(accept(c.by)).ThenRejected(c.code) })
	}
}

func TestWhoWasAssignedMayAcceptAndNothingChanges(t *testing.T) {
	assigned := joinedAgent("ann")
	assigned.Assigned = true
	given(t, requested(), []event{assigned}).When(accept(agent("ann"))).ThenNothing()

	answered := session.PublicMessageSent{MessageID: "m", Sender: sender("ann", domain.RoleAgent), Text: "hi"}
	given(t, requested(), []event{assigned, answered}).When(accept(agent("ann"))).ThenRejected(domain.AlreadyJoined)
}

func TestAWatcherWhoTakesTheSessionStopsWatching(t *testing.T) {
	again := joinedAgent("sue")
	again.First, again.WaitedMS, again.JoinedAt = false, 10_000, at(30)
	c := accept(supervisor("sue"))
	c.At = at(30)
	given(t, engaged(), watchedBy("sue"), requeued(billing)).When(c).
		Then(stopped("sue", session.MonitorBecameAgent), again)
	given(t, engaged(), joinedBy("sue"), requeued(billing)).When(c).
		Then(left("sue"), stopped("sue", session.MonitorBecameAgent), again)
}

func TestADeclinedSessionWaitsAgain(t *testing.T) {
	declined := given(t, requested(), offeredTo("ann")).When(session.Decline{By: agent("ann")}).
		Then(session.OfferDeclined{Agent: ref("ann"), ReservationID: "offer-ann"})
	if declined.State.Phase != session.Queued || declined.State.Offer != (session.Offer{}) {
		t.Errorf("%+v", declined.State)
	}
}

func TestDeclineIsRefusedWhenTheProfileDoesNotAllowIt(t *testing.T) {
	p := agent("ann")
	p.AllowDecline = false
	given(t, requested(), offeredTo("ann")).When(session.Decline{By: p}).ThenRejected(domain.NotPermitted)
}

func TestAnOfferExpiresOnlyByItsOwnReservation(t *testing.T) {
	offered := given(t, requested(), offeredTo("ann"))
	offered.When(session.ExpireOffer{ReservationID: "another", Reason: session.OfferTimedOut}).ThenNothing()
	again := offered.When(session.ExpireOffer{ReservationID: "offer-ann", Reason: session.OfferTimedOut}).
		Then(session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferTimedOut})
	if again.State.Phase != session.Queued {
		t.Errorf("phase %s", again.State.Phase)
	}
}

func TestMessagesAreRefused(t *testing.T) {
	odd, blank, long, binary := public(nil), public(nil), public(nil), public(nil)
	odd.Visibility, blank.Text, long.Text, binary.Text = "secret", " \n", strings.Repeat("x", domain.MaxText+1), "\xff"
	given(t, engaged()).When(odd).ThenRejected(domain.InvalidRequest)
	given(t, engaged()).When(blank).ThenRejected(domain.InvalidRequest)
	given(t, engaged()).When(long).ThenRejected(domain.TextTooLarge)
	given(t, engaged()).When(binary).ThenRejected(domain.InvalidRequest)
	given(t, engaged()).When(public(by(admin()))).ThenRejected(domain.NotAParticipant)
	given(t, engaged()).When(private(nil)).ThenRejected(domain.NotPermitted)
}

func TestRule15TransfersNameWhoMadeThem(t *testing.T) {
	for who, c := range map[domain.Role]session.Standing{
		domain.RoleAgent: agent("ann"), domain.RoleSupervisor: supervisor("sam"), domain.RoleAdmin: admin(),
	} {
		given(t, engaged()).When(transferInto(c, sales)).Then(
			session.SessionTransferred{
				FromQueueID: "billing", From: ref("ann"), FromReservationID: "chat-ann", ToQueueID: "sales", ToQueueName: "Sales",
				By: session.Actor{ID: string(c.ID), Role: who, Name: c.Name},
			},
			session.SessionQueued{Queue: sales, QueuedAt: at(20)})
	}
}

func TestASupervisorMovesASessionThatWaitsAndTheOfferEnds(t *testing.T) {
	given(t, requested(), offeredTo("ann")).When(transferInto(supervisor("sam"), sales)).Then(
		session.OfferExpired{Agent: ref("ann"), ReservationID: "offer-ann", Reason: session.OfferMoved},
		session.SessionTransferred{
			FromQueueID: "billing", ToQueueID: "sales", ToQueueName: "Sales", By: session.Actor{ID: "sam", Role: domain.RoleSupervisor, Name: "Name of sam"},
		},
		session.SessionQueued{Queue: sales, QueuedAt: at(20)})
}

func TestAnAssignmentGivesTheSessionItsAgentAndTheWaitOfTheSegment(t *testing.T) {
	given(t, requested()).When(transferTo(supervisor("sam"), agent("ann"))).Then(
		session.SessionTransferred{
			FromQueueID: "billing", ToQueueID: "billing", ToQueueName: "Billing", To: ref("ann"),
			By: session.Actor{ID: "sam", Role: domain.RoleSupervisor, Name: "Name of sam"},
		},
		session.AgentJoined{
			Agent: ref("ann"), ReservationID: "chat-ann", Assigned: true, JoinedAt: at(20), Queue: billing, WaitedMS: 20_000, First: true,
		})
}

func TestFromAgentToAgentNobodyWaits(t *testing.T) {
	given(t, engaged()).When(transferTo(agent("ann"), agent("bob"))).Then(
		session.SessionTransferred{
			FromQueueID: "billing", From: ref("ann"), FromReservationID: "chat-ann", ToQueueID: "billing", ToQueueName: "Billing",
			To: ref("bob"), By: session.Actor{ID: "ann", Role: domain.RoleAgent, Name: "Name of ann"},
		},
		session.AgentJoined{Agent: ref("bob"), ReservationID: "chat-bob", Assigned: true, JoinedAt: at(20), Queue: billing})
}

func TestTransferToAStaffMemberIsRefused(t *testing.T) {
	off, noChat := agent("bob"), agent("bob")
	off.LoggedIn, noChat.Chat = false, false
	for name, c := range map[string]struct {
		to   session.Standing
		code domain.Code
	}{
		"who is logged out": {off, domain.NotLoggedIn},
		"without chat":      {noChat, domain.NotPermitted},
		"of another queue":  {agent("bob", "sales"), domain.QueueNotInProfile},
		"who has it":        {agent("ann"), domain.AlreadyJoined},
	} {
		t.Run(name, func(t *testing.T) { given(t, engaged()).When(transferTo(agent("ann"), c.to)).ThenRejected(c.code) })
	}
	given(t, engaged()).When(transferInto(agent("bob"), sales)).ThenRejected(domain.Missing)
	watcher := supervisor("sue")
	watcher.Supervisor = false // lost it a moment ago
	given(t, engaged(), watchedBy("sue")).When(transferInto(watcher, sales)).ThenRejected(domain.NotAParticipant)
}
