package queue_test

import (
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/queue"
)

func given(t testing.TB, history ...queue.Event) domaintest.Scenario[queue.State, queue.Command, queue.Event] {
	t.Helper()
	return domaintest.Decider[queue.State, queue.Command, queue.Event]{Decide: queue.Decide, Evolve: queue.Evolve}.Given(t, history...)
}

func billing() queue.Settings {
	return queue.Settings{
		Name: "Billing", ServiceLevelMS: queue.DefaultServiceLevel, ShortAbandonMS: queue.DefaultShortAbandon,
		AgentPrivateReply: queue.AfterJoin, OfferTimeoutMS: queue.DefaultOfferTimeout,
	}
}

func define(change func(*queue.Settings)) queue.Define {
	s := billing()
	change(&s)
	return queue.Define{QueueID: "billing", Settings: s}
}

func TestAQueueIsDefinedOnceAndChangesWithAllItsSettings(t *testing.T) {
	same := define(func(*queue.Settings) {})
	defined := given(t).When(same).Then(queue.QueueDefined{QueueID: "billing", Settings: billing()})
	defined.When(same).ThenNothing()
	announced := define(func(s *queue.Settings) { s.AnnounceSupervisorJoin, s.AgentPrivateReply = true, queue.Always })
	defined.When(announced).Then(queue.QueueChanged{QueueID: "billing", Settings: announced.Settings}).When(announced).ThenNothing()
}

func TestAQueueIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*queue.Settings)
		code   domain.Code
	}{
		"without a name":            {func(s *queue.Settings) { s.Name = " " }, domain.InvalidRequest},
		"with a long name":          {func(s *queue.Settings) { s.Name = strings.Repeat("x", 257) }, domain.TextTooLarge},
		"with an odd private reply": {func(s *queue.Settings) { s.AgentPrivateReply = "never" }, domain.InvalidRequest},
		"with a negative target":    {func(s *queue.Settings) { s.ServiceLevelMS = -1 }, domain.InvalidRequest},
		"with a negative threshold": {func(s *queue.Settings) { s.ShortAbandonMS = -1 }, domain.InvalidRequest},
		"with no time for an offer": {func(s *queue.Settings) { s.OfferTimeoutMS = 0 }, domain.InvalidRequest},
		"with an endless wrap-up":   {func(s *queue.Settings) { s.WrapUpMS = queue.MaxDuration + 1 }, domain.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) { given(t).When(define(c.change)).ThenRejected(c.code) })
	}
	odd := define(func(*queue.Settings) {})
	odd.QueueID = "Billing"
	given(t).When(odd).ThenRejected(domain.InvalidRequest)
}

func TestTheBoundsOfDurationsAreAllowed(t *testing.T) {
	c := define(func(s *queue.Settings) {
		s.ServiceLevelMS, s.ShortAbandonMS, s.OfferTimeoutMS, s.WrapUpMS = 0, queue.MaxDuration, 1, queue.MaxDuration
	})
	given(t).When(c).Then(queue.QueueDefined{QueueID: "billing", Settings: c.Settings})
}

func TestEveryCommandAndEventOfAQueueIsKnown(t *testing.T) {
	domaintest.CheckComplete(t, ".", "queueCommand", []queue.Command{queue.Define{}})
	events := []queue.Event{queue.QueueDefined{}, queue.QueueChanged{}}
	domaintest.CheckComplete(t, ".", "queueEvent", events)
	for _, e := range events {
		if s := given(t, domaintest.Filled(e, "x")).State; !s.Defined || s.Name != "x.Settings.Name" {
			t.Errorf("%T: %+v", e, s)
		}
	}
}
