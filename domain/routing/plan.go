package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/session"
)

// Command of routing.
type Command interface{ routingCommand() }

// Offer asks for a session to be offered to an agent.
type Offer struct {
	SessionID domain.SessionID
	StaffID   domain.StaffID
}

// Withdraw asks for an offer to be expired.
type Withdraw struct {
	SessionID     domain.SessionID
	ReservationID string
}

// EndWrapUp asks for a wrap-up to be completed.
type EndWrapUp struct{ SessionID domain.SessionID }

func (Offer) routingCommand()     {}
func (Withdraw) routingCommand()  {}
func (EndWrapUp) routingCommand() {}

// Due returns the offers and wrap-ups whose time is over.
func (s *State) Due(now time.Time) []Command {
	var commands []Command
	for id := range s.timed {
		c := s.Chats[id]
		switch {
		case c.Phase == session.Offered && !now.Before(c.Offer.ExpiresAt):
			commands = append(commands, Withdraw{id, c.Offer.ReservationID})
		case c.Phase == session.WrapUp && !now.Before(c.WrapUp):
			commands = append(commands, EndWrapUp{id})
		}
	}
	return commands
}

// waiting is a session that can be offered.
type waiting struct {
	id   domain.SessionID
	chat *Chat
}

// candidate is an agent who can be offered something.
type candidate struct {
	id      domain.StaffID
	agent   *Agent
	profile *profile.Settings
	idle    int
}

// Plan pairs waiting sessions with agents: the agent who has been idle longest takes first what their profile's policy puts
// first, the longest waiting session of all their queues or of their first queue that has any. An agent is given one
// session a round, so that work is spread.
func (s *State) Plan(now time.Time) []Offer {
	if len(s.queued) == 0 {
		return nil
	}
	agents := s.candidates()
	if len(agents) == 0 {
		return nil
	}
	queues := s.waitingByQueue()
	var offers []Offer
	for len(agents) > 0 {
		served := agents[:0]
		for _, a := range agents {
			queue, i := pick(queues, a, now)
			if i < 0 {
				continue
			}
			offers = append(offers, Offer{queues[queue][i].id, a.id})
			queues[queue] = slices.Delete(queues[queue], i, i+1)
			if a.idle--; a.idle > 0 {
				served = append(served, a)
			}
		}
		agents = served
	}
	return offers
}

func (s *State) waitingByQueue() map[domain.QueueID][]waiting {
	queues := map[domain.QueueID][]waiting{}
	for id := range s.queued {
		c := s.Chats[id]
		queues[c.QueueID] = append(queues[c.QueueID], waiting{id, c})
	}
	for _, q := range queues {
		slices.SortFunc(q, func(a, b waiting) int {
			return cmp.Or(a.chat.QueuedAt.Compare(b.chat.QueuedAt), cmp.Compare(a.id, b.id))
		})
	}
	return queues
}

func (s *State) candidates() []candidate {
	var out []candidate
	for id, a := range s.Agents {
		p := s.Profiles[a.ProfileID]
		if p == nil || !a.LoggedIn || !a.Available || !p.Chat || !p.ReceiveOffers {
			continue
		}
		if idle := p.MaxSessions - len(a.InUse); idle > 0 {
			out = append(out, candidate{id, a, p, idle})
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(a.agent.IdleSince.Compare(b.agent.IdleSince), cmp.Compare(a.id, b.id))
	})
	return out
}

// pick returns the queue and place of the session that the agent's policy puts first, place -1 when there is none for them.
func pick(queues map[domain.QueueID][]waiting, a candidate, now time.Time) (domain.QueueID, int) {
	best, place := domain.QueueID(""), -1
	for _, q := range a.profile.Queues {
		i := slices.IndexFunc(queues[q], func(w waiting) bool { return a.takes(w, now) })
		if i < 0 {
			continue
		}
		if a.profile.PullPolicy == profile.StrictPriority {
			return q, i
		}
		if place < 0 || queues[q][i].chat.QueuedAt.Before(queues[best][place].chat.QueuedAt) {
			best, place = q, i
		}
	}
	return best, place
}

// takes tells whether the agent can be offered the session: not one that they watch, or are still being rid of.
func (a candidate) takes(w waiting, now time.Time) bool {
	_, inUse := a.agent.InUse[w.id]
	return !inUse && w.chat.open(a.id, now)
}

// open tells whether the session may be offered to an agent: not again to one who declined it, and to one who let the
// offer expire only after a while.
func (c *Chat) open(id domain.StaffID, now time.Time) bool {
	p, ok := c.Passed[id]
	return !ok || !p.Declined && !now.Before(p.Until)
}
