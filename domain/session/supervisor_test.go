package session_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
)

func TestRule3MonitoringStartsWithASlotAndNamesQueueAgentAndReason(t *testing.T) {
	c := watch(supervisor("sue"))
	c.Reason = "new colleague"
	given(t, engaged()).When(c).Then(session.SupervisorStartedMonitoring{
		Supervisor: ref("sue"), ReservationID: "watch-sue", Reason: "new colleague", QueueID: "billing", Agent: ref("ann"),
	})
}

func TestRule3MonitoringIsRefused(t *testing.T) {
	off, onlySupervisor, onlyMonitor := supervisor("sue"), supervisor("sue"), supervisor("sue")
	off.LoggedIn, onlySupervisor.Monitor, onlyMonitor.Supervisor = false, false, false
	longReason := watch(supervisor("sue"))
	longReason.Reason = strings.Repeat("x", domain.MaxName+1)
	for name, c := range map[string]struct {
		history []event
		command session.Command
		code    domain.Code
	}{
		"to who is logged out":             {engaged(), watch(off), domain.NotLoggedIn},
		"without monitor":                  {engaged(), watch(onlySupervisor), domain.NotPermitted},
		"without supervisor":               {engaged(), watch(onlyMonitor), domain.NotPermitted},
		"in a queue outside the profile":   {engaged(), watch(supervisor("sue", "sales")), domain.QueueNotInProfile},
		"of one's own session":             {engaged(), watch(supervisor("ann")), domain.OwnSession},
		"twice":                            {slices.Concat(engaged(), watchedBy("sue")), watch(supervisor("sue")), domain.AlreadyMonitoring},
		"of a session without an agent":    {requested(), watch(supervisor("sue")), domain.SessionNotEngaged},
		"of a session that has ended":      {slices.Concat(engaged(), concluded()), watch(supervisor("sue")), domain.SessionEnded},
		"of a session that does not exist": {nil, watch(supervisor("sue")), domain.Missing},
		"for too long a reason":            {engaged(), longReason, domain.TextTooLarge},
	} {
		t.Run(name, func(t *testing.T) { given(t, c.history).When(c.command).ThenRejected(c.code) })
	}
}

func TestRule3MonitoringNeedsNoChatInTheProfileBeyondBeingLoggedIn(t *testing.T) {
	p := supervisor("sue")
	p.Chat = false
	given(t, engaged()).When(watch(p)).Then(watchedBy("sue")...)
}

func TestRule5WhoMonitorsWritesPrivatelyOnly(t *testing.T) {
	watched := given(t, engaged(), watchedBy("sue"))
	watched.When(private(by(supervisor("sue")))).Then(
		session.PrivateMessageSent{MessageID: "m1", Sender: sender("sue", domain.RoleSupervisor), Text: "hello"})
	watched.When(public(by(supervisor("sue")))).ThenRejected(domain.NotJoined)
}

func TestRule6JoinIsForASessionThatOneIsMonitoring(t *testing.T) {
	given(t, engaged()).When(session.Join{By: supervisor("sue")}).ThenRejected(domain.NotMonitoring)
	given(t, engaged(), watchedBy("sue")).When(session.Join{By: supervisor("sam")}).ThenRejected(domain.NotMonitoring)
	given(t, engaged(), watchedBy("sue")).When(session.Join{By: supervisor("sue")}).
		Then(session.SupervisorJoined{Supervisor: ref("sue")}).
		When(session.Join{By: supervisor("sue")}).ThenRejected(domain.AlreadyJoined)
}

func TestRule6JoinKeepsTheReservationOfTheWatch(t *testing.T) {
	w, _ := given(t, engaged(), joinedBy("sue")).State.Watcher("sue")
	if w.ReservationID != "watch-sue" || !w.Joined {
		t.Errorf("%+v", w)
	}
}

func TestRule6JoinOfAWatcherWhoseSessionWaitsAgainIsRefused(t *testing.T) {
	given(t, engaged(), watchedBy("sue"), requeued(billing)).When(session.Join{By: supervisor("sue")}).
		ThenRejected(domain.SessionNotEngaged)
}

func TestAQueueMayAnnounceAJoinToTheCustomer(t *testing.T) {
	given(t, engaged(), watchedBy("sue")).When(session.Join{By: supervisor("sue"), Announce: true}).
		Then(session.SupervisorJoined{Supervisor: ref("sue"), Announced: true})
}

func TestRule7AfterJoiningPublicAndPrivateMessagesCanBeSent(t *testing.T) {
	joined := given(t, engaged(), joinedBy("sue"))
	joined.When(public(by(supervisor("sue")))).Then(
		session.PublicMessageSent{MessageID: "m1", Sender: sender("sue", domain.RoleSupervisor), Text: "hello"})
	joined.When(private(by(supervisor("sue")))).Then(
		session.PrivateMessageSent{MessageID: "m1", Sender: sender("sue", domain.RoleSupervisor), Text: "hello"})
}

func TestRule8TheAgentAnswersPrivatelyOnceASupervisorHasJoined(t *testing.T) {
	ann := by(agent("ann"))
	answer := session.PrivateMessageSent{MessageID: "m1", Sender: sender("ann", domain.RoleAgent), Text: "hello"}
	given(t, engaged()).When(private(ann)).ThenRejected(domain.PrivateReplyNeedsJoin)
	given(t, engaged(), watchedBy("sue")).When(private(ann)).ThenRejected(domain.PrivateReplyNeedsJoin)
	given(t, engaged(), joinedBy("sue")).When(private(ann)).Then(answer)

	gone := given(t, engaged(), joinedBy("sue"), []event{left("sue"), stopped("sue", session.LeftByThemselves)})
	gone.When(private(ann)).Then(answer)

	always := private(ann)
	always.AgentPrivateReply = queue.Always
	given(t, engaged()).When(always).Then(answer)
}

func TestRule8APrivateMessageOfAWatcherDoesNotOpenThePrivateReply(t *testing.T) {
	whisper := session.PrivateMessageSent{MessageID: "m0", Sender: sender("sue", domain.RoleSupervisor), Text: "psst"}
	given(t, engaged(), watchedBy("sue"), []event{whisper}).When(private(by(agent("ann")))).
		ThenRejected(domain.PrivateReplyNeedsJoin)
}

func TestRule9LeavingASilentWatchNotifiesNobody(t *testing.T) {
	given(t, engaged(), watchedBy("sue")).When(session.Leave{By: by(supervisor("sue")), At: at(30)}).
		Then(stopped("sue", session.LeftByThemselves))
}

func TestRule9WhoHadJoinedIsSaidToHaveLeftOnThePublicThread(t *testing.T) {
	given(t, engaged(), joinedBy("sue")).When(session.Leave{By: by(supervisor("sue")), At: at(30)}).
		Then(left("sue"), stopped("sue", session.LeftByThemselves)).
		When(session.Leave{By: by(supervisor("sue")), At: at(31)}).ThenRejected(domain.NotMonitoring)
}

func TestRule9WhoComesBackAfterLeavingOnlyMonitors(t *testing.T) {
	back := given(t, engaged(), joinedBy("sue"), []event{left("sue"), stopped("sue", session.LeftByThemselves)})
	back.When(watch(supervisor("sue"))).Then(watchedBy("sue")...).When(public(by(supervisor("sue")))).ThenRejected(domain.NotJoined)
}

func TestRule10SeveralSupervisorsWatchOneSession(t *testing.T) {
	both := given(t, engaged(), watchedBy("sue")).When(watch(supervisor("sam"))).Then(watchedBy("sam")...)
	if len(both.State.Watchers) != 2 {
		t.Fatalf("watchers: %+v", both.State.Watchers)
	}
	both.When(session.Leave{By: by(supervisor("sue"))}).Then(stopped("sue", session.LeftByThemselves)).
		When(private(by(supervisor("sam")))).Then(
		session.PrivateMessageSent{MessageID: "m1", Sender: sender("sam", domain.RoleSupervisor), Text: "hello"})
}

func TestRule11AWatchThatLostItsGroundEndsByRule9(t *testing.T) {
	end := session.EndMonitoring{StaffID: "sue", ReservationID: "watch-sue", Reason: session.MonitorOutOfQueue}
	given(t, engaged(), watchedBy("sue")).When(end).Then(stopped("sue", session.MonitorOutOfQueue))
	given(t, engaged(), joinedBy("sue")).When(end).Then(left("sue"), stopped("sue", session.MonitorOutOfQueue))

	end.ReservationID = "an earlier one"
	given(t, engaged(), watchedBy("sue")).When(end).ThenNothing()
	end.StaffID = "sam"
	given(t, engaged(), watchedBy("sue")).When(end).ThenNothing()
}

func TestRule11TheGroundOfAWatchIsDutyPermissionQueueAndSlot(t *testing.T) {
	s := given(t, engaged(), watchedBy("sue")).State
	off, may := supervisor("sue"), supervisor("sue")
	off.LoggedIn, may.Monitor = false, false
	for name, c := range map[string]struct {
		standing session.Standing
		held     bool
		reason   string
	}{
		"all of it":     {supervisor("sue"), true, ""},
		"no duty":       {off, true, session.MonitorLoggedOut},
		"no permission": {may, true, session.MonitorNotPermitted},
		"another queue": {supervisor("sue", "sales"), true, session.MonitorOutOfQueue},
		"no slot":       {supervisor("sue"), false, session.MonitorSlotLost},
		"nothing of it": {session.Standing{}, false, session.MonitorLoggedOut},
	} {
		if reason, grounded := s.StillGrounded(c.standing, c.held); reason != c.reason || grounded != (c.reason == "") {
			t.Errorf("%s: %q, %v", name, reason, grounded)
		}
	}
}

func TestAFirstPrivateMessageOrJoinOfASupervisorResolvesACallForHelp(t *testing.T) {
	called := given(t, engaged(), watchedBy("sue")).When(session.RequestHelp{By: agent("ann"), Note: "please"}).
		Then(session.HelpRequested{Agent: ref("ann"), Note: "please"})
	called.When(session.RequestHelp{By: agent("ann")}).ThenNothing()
	resolved := session.HelpResolved{By: ref("sue")}
	called.When(private(by(supervisor("sue")))).Then(
		session.PrivateMessageSent{MessageID: "m1", Sender: sender("sue", domain.RoleSupervisor), Text: "hello"}, resolved).
		When(session.Join{By: supervisor("sue")}).Then(session.SupervisorJoined{Supervisor: ref("sue")})
	called.When(session.Join{By: supervisor("sue")}).Then(session.SupervisorJoined{Supervisor: ref("sue")}, resolved)
	called.When(public(nil)).Then(session.PublicMessageSent{MessageID: "m1", Sender: fromCustomer(), Text: "hello"})
}
