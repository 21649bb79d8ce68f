package profile_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/profile"
)

func given(t testing.TB, history ...profile.Event) domaintest.Scenario[profile.State, profile.Command, profile.Event] {
	t.Helper()
	return domaintest.Decider[profile.State, profile.Command, profile.Event]{Decide: profile.Decide, Evolve: profile.Evolve}.Given(t, history...)
}

func lead() profile.Settings {
	return profile.Settings{
		Name: "Lead", Chat: true, Supervisor: true, Monitor: true, MaxSessions: 5, Queues: []domain.QueueID{"billing", "sales"},
		PullPolicy: profile.FirstDue,
	}
}

func define(change func(*profile.Settings)) profile.Define {
	s := lead()
	change(&s)
	return profile.Define{ProfileID: "lead", Settings: s}
}

func same(*profile.Settings) {}

func TestRule1MonitorNeedsSupervisor(t *testing.T) {
	given(t).When(define(func(s *profile.Settings) { s.Supervisor = false })).ThenRejected(domain.MonitorRequiresSupervisor)
	given(t, profile.ProfileDefined{ProfileID: "lead", Settings: lead()}).
		When(define(func(s *profile.Settings) { s.Supervisor = false })).ThenRejected(domain.MonitorRequiresSupervisor)
	for _, c := range []struct{ supervisor, monitor, may bool }{{true, true, true}, {true, false, false}, {false, false, false}} {
		s := lead()
		s.Supervisor, s.Monitor = c.supervisor, c.monitor
		given(t).When(profile.Define{ProfileID: "lead", Settings: s}).Then(profile.ProfileDefined{ProfileID: "lead", Settings: s})
		if s.MayMonitor() != c.may {
			t.Errorf("supervisor %v, monitor %v: may monitor is %v", c.supervisor, c.monitor, s.MayMonitor())
		}
	}
}

func TestAProfileIsDefinedOnceAndChangesWithAllItsSettings(t *testing.T) {
	defined := given(t).When(define(same)).Then(profile.ProfileDefined{ProfileID: "lead", Settings: lead()})
	defined.When(define(same)).ThenNothing()
	for name, change := range map[string]func(*profile.Settings){
		"name": func(s *profile.Settings) { s.Name = "L" }, "chat": func(s *profile.Settings) { s.Chat = false },
		"monitor": func(s *profile.Settings) { s.Monitor = false }, "limit": func(s *profile.Settings) { s.MaxSessions = 0 },
		"supervisor": func(s *profile.Settings) { s.Supervisor, s.Monitor = false, false },
		"queues":     func(s *profile.Settings) { s.Queues = nil }, "rank": func(s *profile.Settings) { s.Queues = []domain.QueueID{"sales", "billing"} },
		"policy":  func(s *profile.Settings) { s.PullPolicy = profile.StrictPriority },
		"decline": func(s *profile.Settings) { s.AllowDecline = true }, "offers": func(s *profile.Settings) { s.ReceiveOffers = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := define(change)
			given(t, profile.ProfileDefined{ProfileID: "lead", Settings: lead()}).When(c).
				Then(profile.ProfileChanged{ProfileID: "lead", Settings: c.Settings}).When(c).ThenNothing()
		})
	}
}

func TestAProfileIsRefused(t *testing.T) {
	many := make([]domain.QueueID, 0, profile.MaxQueues+1)
	for i := range profile.MaxQueues + 1 {
		many = append(many, domain.QueueID("q"+strconv.Itoa(i)))
	}
	for name, c := range map[string]struct {
		change func(*profile.Settings)
		code   domain.Code
	}{
		"without a name":         {func(s *profile.Settings) { s.Name = "" }, domain.InvalidRequest},
		"with a long name":       {func(s *profile.Settings) { s.Name = strings.Repeat("x", 257) }, domain.TextTooLarge},
		"with a negative limit":  {func(s *profile.Settings) { s.MaxSessions = -1 }, domain.InvalidRequest},
		"with too high a limit":  {func(s *profile.Settings) { s.MaxSessions = profile.MaxSessions + 1 }, domain.InvalidRequest},
		"with an unknown policy": {func(s *profile.Settings) { s.PullPolicy = "" }, domain.InvalidRequest},
		"with a malformed queue": {func(s *profile.Settings) { s.Queues = []domain.QueueID{"Billing"} }, domain.InvalidRequest},
		"with a queue twice":     {func(s *profile.Settings) { s.Queues = []domain.QueueID{"a", "b", "a"} }, domain.InvalidRequest},
		"with too many queues":   {func(s *profile.Settings) { s.Queues = many }, domain.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) { given(t).When(define(c.change)).ThenRejected(c.code) })
	}
	odd, unknown := define(same), define(same)
	odd.ProfileID, unknown.UnknownQueues = "The Lead", []domain.QueueID{"sales"}
	given(t).When(odd).ThenRejected(domain.InvalidRequest)
	if r := given(t).When(unknown).ThenRejected(domain.UnknownQueue); len(r.Data["queues"].([]domain.QueueID)) != 1 {
		t.Errorf("the refusal does not name the queue: %v", r.Data)
	}
}

func TestEveryCommandAndEventOfAProfileIsKnown(t *testing.T) {
	domaintest.CheckComplete(t, ".", "profileCommand", []profile.Command{profile.Define{}})
	events := []profile.Event{profile.ProfileDefined{}, profile.ProfileChanged{}}
	domaintest.CheckComplete(t, ".", "profileEvent", events)
	for _, e := range events {
		if s := given(t, domaintest.Filled(e, "x")).State; !s.Defined || !s.Serves("x.Settings.Queues[0]") || s.Serves("another") {
			t.Errorf("%T: %+v", e, s)
		}
	}
}
