package command_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
)

func TestASupervisorMonitorsCoachesJoinsAndLeaves(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	w.must(w.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hello"))
	w.must(w.Monitor(w.ctx, asStaff("sue"), id, "new colleague"))
	if got := w.slots("sue"); len(got) != 1 || got[id] != staff.ForMonitoring {
		t.Fatalf("slots of sue: %v", got)
	}
	_, err := w.SendAsStaff(w.ctx, asStaff("sue"), id, session.Public, "hello")
	w.refused(domain.NotJoined, err)
	w.must(w.SendAsStaff(w.ctx, asStaff("sue"), id, session.Private, "try the manual"))
	_, err = w.SendAsStaff(w.ctx, asStaff("ann"), id, session.Private, "which?")
	w.refused(domain.PrivateReplyNeedsJoin, err)
	w.must(w.Join(w.ctx, asStaff("sue"), id))
	w.must(w.SendAsStaff(w.ctx, asStaff("ann"), id, session.Private, "which?"))
	w.must(w.SendAsStaff(w.ctx, asStaff("sue"), id, session.Public, "I am here too"))
	w.must(w.Leave(w.ctx, asStaff("sue"), id))
	if got := w.slots("sue"); len(got) != 0 {
		t.Errorf("slots of sue after leaving: %v", got)
	}
	want := []string{
		"SessionRequested", "SessionQueued", "AgentJoined", "PublicMessageSent", "SupervisorStartedMonitoring", "PrivateMessageSent",
		"SupervisorJoined", "PrivateMessageSent", "PublicMessageSent", "ParticipantLeft", "SupervisorStoppedMonitoring",
	}
	if got := w.types(command.SessionStream(id)); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := w.types("staff-sue"); !slices.Equal(got, []string{"StaffRegistered", "StaffLoggedIn", "SlotReserved", "SlotReleased"}) {
		t.Errorf("stream of sue: %v", got)
	}
	w.sound()
}

func TestWhatIsRefusedTakesNoSlotAndLeavesNoTrace(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id, waiting := w.engaged("ann"), w.waiting()
	w.must(w.RegisterStaff(w.ctx, asAdmin(), "lee", "Lee", "lead"))
	before := len(w.log())
	for _, c := range []struct {
		who     command.Request
		session domain.SessionID
		code    domain.Code
	}{
		{asStaff("ann"), id, domain.NotPermitted}, {asStaff("lee"), id, domain.NotLoggedIn}, {asStaff("nobody"), id, domain.NotPermitted},
		{asAdmin(), id, domain.NotPermitted}, {asStaff("sue"), waiting, domain.SessionNotEngaged},
		{asStaff("sue"), "01960000-0000-7000-8000-000000000000", domain.Missing}, {asStaff("sue"), "no id at all", domain.Missing},
	} {
		_, err := w.Monitor(w.ctx, c.who, c.session, "")
		w.refused(c.code, err)
	}
	if after := len(w.log()); after != before {
		t.Errorf("%d events were appended", after-before)
	}
}

func TestRule11LoggingOutEndsMonitoringsAndOffers(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	silent, joined := w.watched("ann", "sue"), w.watched("ann", "sue")
	w.must(w.Join(w.ctx, asStaff("sue"), joined))
	offered := w.waiting()
	w.must(w.Offer(w.ctx, asSystem(), offered, "sue"))
	_, err := w.LogOut(w.ctx, asStaff("ann"), "ann")
	w.refused(domain.SessionsStillOpen, err)
	out, err := w.LogOut(w.ctx, asStaff("sue"), "sue")
	w.ok(err)
	if len(out.State.Slots) != 0 || out.State.LoggedIn {
		t.Errorf("after logging out: %+v", out.State)
	}
	for _, id := range []domain.SessionID{silent, joined} {
		if got := w.state(id).Watchers; len(got) != 0 {
			t.Errorf("watchers: %v", got)
		}
	}
	if got := w.state(offered).Phase; got != session.Queued {
		t.Errorf("what was offered is %s", got)
	}
	if slices.Contains(w.types(command.SessionStream(silent)), "ParticipantLeft") || !slices.Contains(w.types(command.SessionStream(joined)), "ParticipantLeft") {
		t.Error("rule 9: only who had joined is said to have left")
	}
	w.sound()
}

func TestRule11AWatchEndsWhenTheSessionLeavesTheWatchersQueues(t *testing.T) {
	w := newWorld(t)
	wide := leadProfile()
	wide.Queues = []domain.QueueID{"sales", "billing"}
	w.profile("wide", wide)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	w.onDuty("wide", "sam")
	id := w.watched("ann", "sue")
	w.must(w.Monitor(w.ctx, asStaff("sam"), id, ""))
	w.must(w.TransferToQueue(w.ctx, asStaff("ann"), id, "sales"))
	if got := w.state(id).Watchers; len(got) != 1 || got[0].ID != "sam" {
		t.Errorf("watchers: %+v", got)
	}
	if len(w.slots("sue"))+len(w.slots("ann")) != 0 || len(w.slots("sam")) != 1 {
		t.Errorf("slots: sue %v, ann %v, sam %v", w.slots("sue"), w.slots("ann"), w.slots("sam"))
	}
	w.sound()
}

func TestRule11AWatchEndsWhenTheProfileLosesThePermission(t *testing.T) {
	for name, change := range map[string]func(*profile.Settings){
		session.MonitorNotPermitted: func(p *profile.Settings) { p.Monitor = false },
		session.MonitorOutOfQueue:   func(p *profile.Settings) { p.Queues = []domain.QueueID{"sales"} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onDuty("agent", "ann")
			w.onDuty("lead", "sue")
			id := w.watched("ann", "sue")
			p := leadProfile()
			change(&p)
			w.profile("lead", p)
			w.keep(w.Service)
			if len(w.state(id).Watchers) != 0 || len(w.slots("sue")) != 0 {
				t.Errorf("watchers %v, slots %v", w.state(id).Watchers, w.slots("sue"))
			}
			w.sound()
		})
	}
}

func TestRule11AWatchEndsWhenTheWatcherIsGivenAnotherProfile(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.watched("ann", "sue")
	w.must(w.RegisterStaff(w.ctx, asAdmin(), "sue", "Name of sue", "agent"))
	w.keep(w.Service)
	if len(w.state(id).Watchers) != 0 {
		t.Errorf("watchers: %v", w.state(id).Watchers)
	}
	w.sound()
}

func TestATransferToAWatcherKeepsTheirOneSlot(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue", "sam")
	id := w.watched("ann", "sue")
	w.must(w.Monitor(w.ctx, asStaff("sam"), id, ""))
	w.must(w.TransferToStaff(w.ctx, asStaff("ann"), id, "sue"))
	s := w.state(id)
	if s.Agent.ID != "sue" || len(s.Watchers) != 1 || s.Watchers[0].ID != "sam" {
		t.Errorf("%+v", s)
	}
	if got := w.slots("sue"); len(got) != 1 || got[id] != staff.ForEngagement {
		t.Errorf("slots of sue: %v", got)
	}
	w.sound()
}

func TestRule4ATransferTellsNobodyHowManySessionsAnotherHas(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann", "bob")
	id := w.engaged("ann")
	for range 2 {
		w.engaged("bob")
	}
	_, err := w.TransferToStaff(w.ctx, asStaff("ann"), id, "bob")
	w.refused(domain.NoIdleSession, err)
	if r, ok := err.(*domain.Rejection); !ok || len(r.Data) != 0 {
		t.Errorf("the refusal tells %v", r)
	}
}

func TestAnOfferToWhoLogsOutMeanwhileIsWithdrawn(t *testing.T) {
	// The log that this race leaves: reserved, logged out, offered.
	w := newWorld(t)
	w.onDuty("agent", "ann")
	id := w.waiting()
	between := &interleaved{Store: w.store, before: command.SessionStream(id), do: func() {
		w.must(service(t, w.store, true).LogOut(w.ctx, asStaff("ann"), "ann"))
	}}
	w.must(service(t, between, true).Offer(w.ctx, asSystem(), id, "ann"))
	fresh := service(t, w.store, false)
	w.keep(fresh)
	w.sound()
	if v, err := fresh.Session(w.ctx, id); err != nil || v.State.Phase != session.Queued {
		t.Errorf("%+v %v", v.State, err)
	}
}

func TestAWatcherWhoLogsOutWhileTheirWatchBeginsStopsWatching(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	between := &interleaved{Store: w.store, before: command.SessionStream(id), do: func() {
		w.must(service(t, w.store, true).LogOut(w.ctx, asStaff("sue"), "sue"))
	}}
	w.must(service(t, between, true).Monitor(w.ctx, asStaff("sue"), id, ""))
	fresh := service(t, w.store, false)
	w.keep(fresh)
	w.sound()
	if v, err := fresh.Session(w.ctx, id); err != nil || len(v.State.Watchers) != 0 {
		t.Errorf("%+v %v", v.State.Watchers, err)
	}
}

func TestAFlowThatHasBegunIsCompletedWhenItsCallerHangsUp(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	ctx, hangUp := context.WithCancel(w.ctx)
	s := service(t, &interleaved{Store: w.store, before: command.SessionStream(id), do: hangUp}, false)
	w.must(s.Monitor(ctx, asStaff("sue"), id, ""))
	w.sound()
	if v, err := service(t, w.store, false).Session(w.ctx, id); err != nil || len(v.State.Watchers) != 1 {
		t.Errorf("watchers: %v, %v", v.State.Watchers, err)
	}
	_, err := s.SendAsCustomer(ctx, asCustomer(), id, session.Public, "hi")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a message for a caller who is gone: %v", err)
	}
	w.must(s.SendAsCustomer(w.ctx, asCustomer(), id, session.Public, "hi"))
}

func TestStatesThatDoNotFitInMemoryAreReadAgain(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	s, err := command.New(command.Config{Store: w.store, Log: slog.New(slog.DiscardHandler), HotSessions: 1})
	w.ok(err)
	sessions := []domain.SessionID{w.engaged("ann"), w.engaged("ann")}
	counts := together(12, func(i int) error {
		return ignore(s.SendAsCustomer(w.ctx, asCustomer(), sessions[i%2], session.Public, "hi"))
	})
	if counts[""] != 12 {
		t.Errorf("got %v", counts)
	}
	for _, id := range sessions {
		if got := len(w.types(command.SessionStream(id))); got != 9 {
			t.Errorf("%d events", got)
		}
	}
}
