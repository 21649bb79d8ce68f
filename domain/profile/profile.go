// Package profile decides what a profile may say: what its staff may do, how many sessions each of them can hold at a time,
// and the ranked queues that they serve. Who has the profile is the business of package staff.
package profile

import (
	"slices"

	"github.com/chatwatch/chatwatch/domain"
)

// PullPolicy says which waiting session an agent is offered next (rule 14).
type PullPolicy string

// Policies.
const (
	FirstDue       PullPolicy = "first_due"       // the longest waiting over all queues of the profile
	StrictPriority PullPolicy = "strict_priority" // the longest waiting of the first queue, by rank, that has any
)

// Bounds of a profile.
const (
	MaxSessions = 1000
	MaxQueues   = 1000
)

// Settings of a profile.
type Settings struct {
	Name       string `json:"name"`
	Chat       bool   `json:"chat"`
	Supervisor bool   `json:"supervisor"`
	Monitor    bool   `json:"monitor"`
	// MaxSessions is how many sessions one member can hold at a time, 0..MaxSessions.
	MaxSessions int `json:"max_sessions"`
	// Queues by rank, the first one first. Each at most once.
	Queues       []domain.QueueID `json:"queues"`
	PullPolicy   PullPolicy       `json:"pull_policy"`
	AllowDecline bool             `json:"allow_decline"`
	// ReceiveOffers says that waiting sessions are offered to members by themselves; otherwise they can only pull.
	ReceiveOffers bool `json:"receive_offers"`
}

func (s Settings) equal(o Settings) bool {
	return slices.Equal(s.Queues, o.Queues) && s.Name == o.Name && s.Chat == o.Chat && s.Supervisor == o.Supervisor && s.Monitor == o.Monitor &&
		s.MaxSessions == o.MaxSessions && s.PullPolicy == o.PullPolicy && s.AllowDecline == o.AllowDecline &&
		s.ReceiveOffers == o.ReceiveOffers
}

// Serves tells whether the queue is in the profile.
func (s Settings) Serves(q domain.QueueID) bool { return slices.Contains(s.Queues, q) }

// MayMonitor tells whether members may watch sessions at all (rules 1 and 3).
func (s Settings) MayMonitor() bool { return s.Supervisor && s.Monitor }

// Event is what happens to a profile.
type Event interface{ profileEvent() }

// ProfileDefined is the first definition of a profile.
type ProfileDefined struct {
	ProfileID domain.ProfileID `json:"profile_id"`
	Settings  `json:"settings"`
}

// ProfileChanged carries the settings that hold from now on, all of them.
type ProfileChanged struct {
	ProfileID domain.ProfileID `json:"profile_id"`
	Settings  `json:"settings"`
}

func (ProfileDefined) profileEvent() {}
func (ProfileChanged) profileEvent() {}

// State of a profile. The zero value is a profile that nobody defined.
type State struct {
	Defined bool
	Settings
}

// Command asks for something to be done to a profile.
type Command interface{ profileCommand() }

// Define sets the settings of a profile, which need not exist yet. UnknownQueues are those of its queues that nobody
// defined, as the caller found them.
type Define struct {
	ProfileID domain.ProfileID
	Settings
	UnknownQueues []domain.QueueID
}

func (Define) profileCommand() {}

// Decide answers a command with the events to append, or a rejection.
func Decide(s State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case Define:
		return define(s, c)
	default:
		panic("profile: unknown command")
	}
}

func define(s State, c Define) ([]Event, error) {
	if !domain.ValidID(string(c.ProfileID)) {
		return nil, domain.Reject(domain.InvalidRequest, "the profile id is not of the form [a-z0-9][a-z0-9._-]{0,63}")
	}
	if err := check(c.Settings); err != nil {
		return nil, err
	}
	if len(c.UnknownQueues) > 0 {
		return nil, domain.Reject(domain.UnknownQueue, "the profile names queues that do not exist").
			With("queues", c.UnknownQueues)
	}
	switch {
	case !s.Defined:
		return []Event{ProfileDefined{ProfileID: c.ProfileID, Settings: c.Settings}}, nil
	case !s.equal(c.Settings):
		return []Event{ProfileChanged{ProfileID: c.ProfileID, Settings: c.Settings}}, nil
	}
	return nil, nil
}

func check(p Settings) error {
	if err := domain.CheckText("name", p.Name, domain.MaxName); err != nil {
		return err
	}
	if p.Monitor && !p.Supervisor {
		return domain.Reject(domain.MonitorRequiresSupervisor, "a profile with monitor needs supervisor too")
	}
	if p.MaxSessions < 0 || p.MaxSessions > MaxSessions {
		return domain.Reject(domain.InvalidRequest, "max_sessions must be between 0 and %d", MaxSessions)
	}
	if p.PullPolicy != FirstDue && p.PullPolicy != StrictPriority {
		return domain.Reject(domain.InvalidRequest, "pull_policy must be %s or %s", FirstDue, StrictPriority)
	}
	if len(p.Queues) > MaxQueues {
		return domain.Reject(domain.InvalidRequest, "a profile has at most %d queues", MaxQueues)
	}
	seen := make(map[domain.QueueID]bool, len(p.Queues))
	for _, q := range p.Queues {
		if !domain.ValidID(string(q)) {
			return domain.Reject(domain.InvalidRequest, "queues holds an id that is not of the form [a-z0-9][a-z0-9._-]{0,63}")
		}
		if seen[q] {
			return domain.Reject(domain.InvalidRequest, "queue %s stands in the profile twice", q)
		}
		seen[q] = true
	}
	return nil
}

// Evolve returns s after e.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case ProfileDefined:
		return State{Defined: true, Settings: e.Settings}
	case ProfileChanged:
		return State{Defined: true, Settings: e.Settings}
	default:
		return s
	}
}
