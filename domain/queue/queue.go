// Package queue decides what a queue is: where chat requests wait, with its service target and its manners. It never knows
// which sessions wait in it.
package queue

import (
	"github.com/chatwatch/chatwatch/domain"
)

// PrivateReply says when the agent of a session may write privately (rule 8).
type PrivateReply string

// Settings of PrivateReply.
const (
	AfterJoin PrivateReply = "after_join" // once a supervisor has joined
	Always    PrivateReply = "always"
)

// Bounds and defaults of a queue's settings.
const (
	MaxDuration         domain.Millis = 7 * 24 * 60 * 60 * 1000
	DefaultServiceLevel domain.Millis = 30_000
	DefaultShortAbandon domain.Millis = 5_000
	DefaultOfferTimeout domain.Millis = 30_000
)

// Settings of a queue. Durations are between 0 and MaxDuration.
type Settings struct {
	Name string `json:"name"`
	// ServiceLevelMS is the target for the wait: an answer within it counts towards the service level.
	ServiceLevelMS domain.Millis `json:"service_level_ms"`
	// ShortAbandonMS: who leaves sooner than this is counted apart.
	ShortAbandonMS domain.Millis `json:"short_abandon_ms"`
	// AnnounceSupervisorJoin shows SupervisorJoined to the customer.
	AnnounceSupervisorJoin bool         `json:"announce_supervisor_join"`
	AgentPrivateReply      PrivateReply `json:"agent_private_reply"`
	// OfferTimeoutMS is how long an agent has to accept an offer; at least 1.
	OfferTimeoutMS domain.Millis `json:"offer_timeout_ms"`
	// WrapUpMS is how long the agent has after the end of a session to complete it; 0 for no wrap-up.
	WrapUpMS domain.Millis `json:"wrap_up_ms"`
}

// Event is what happens to a queue.
type Event interface{ queueEvent() }

// QueueDefined is the first definition of a queue.
type QueueDefined struct {
	QueueID  domain.QueueID `json:"queue_id"`
	Settings `json:"settings"`
}

// QueueChanged carries the settings that hold from now on, all of them.
type QueueChanged struct {
	QueueID  domain.QueueID `json:"queue_id"`
	Settings `json:"settings"`
}

func (QueueDefined) queueEvent() {}
func (QueueChanged) queueEvent() {}

// State of a queue. The zero value is a queue that nobody defined.
type State struct {
	Defined bool
	Settings
}

// Command asks for something to be done to a queue.
type Command interface{ queueCommand() }

// Define sets the settings of a queue, which need not exist yet.
type Define struct {
	QueueID domain.QueueID
	Settings
}

func (Define) queueCommand() {}

// Decide answers a command with the events to append, or a rejection.
func Decide(s State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case Define:
		return define(s, c)
	default:
		panic("queue: unknown command")
	}
}

func define(s State, c Define) ([]Event, error) {
	if !domain.ValidID(string(c.QueueID)) {
		return nil, domain.Reject(domain.InvalidRequest, "the queue id is not of the form [a-z0-9][a-z0-9._-]{0,63}")
	}
	if err := domain.CheckText("name", c.Name, domain.MaxName); err != nil {
		return nil, err
	}
	if c.AgentPrivateReply != AfterJoin && c.AgentPrivateReply != Always {
		return nil, domain.Reject(domain.InvalidRequest, "agent_private_reply must be %s or %s", AfterJoin, Always)
	}
	for _, d := range []struct {
		field      string
		value, min domain.Millis
	}{
		{"service_level_ms", c.ServiceLevelMS, 0}, {"short_abandon_ms", c.ShortAbandonMS, 0},
		{"offer_timeout_ms", c.OfferTimeoutMS, 1}, {"wrap_up_ms", c.WrapUpMS, 0},
	} {
		if d.value < d.min || d.value > MaxDuration {
			return nil, domain.Reject(domain.InvalidRequest, "%s must be between %d and %d", d.field, d.min, MaxDuration)
		}
	}
	switch {
	case !s.Defined:
		return []Event{QueueDefined(c)}, nil
	case s.Settings != c.Settings:
		return []Event{QueueChanged(c)}, nil
	}
	return nil, nil
}

// Evolve returns s after e.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case QueueDefined:
		return State{Defined: true, Settings: e.Settings}
	case QueueChanged:
		return State{Defined: true, Settings: e.Settings}
	default:
		return s
	}
}
