package session

import (
	"slices"

	"github.com/chatwatch/chatwatch/domain"
)

// Audience is a set of those who see an event.
type Audience uint8

// Members of an audience.
const (
	ToCustomer   Audience = 1 << iota
	ToAgent               // the agent in the session
	ToOwnAgent            // only the agent whom the event concerns, see Concerns
	ToSupervisor          // supervisors who watch
	ToAuditor
)

// Everyone in the session, seen or unseen.
const everyone = ToCustomer | ToAgent | ToSupervisor | ToAuditor

// AudienceOf is the one declaration of who sees an event at all. What they get of it is in view.go. An event without a
// line here is for auditors only.
func AudienceOf(e Event) Audience {
	switch e := e.(type) {
	case SessionRequested, AgentJoined, PublicMessageSent, ParticipantLeft, SessionTransferred, SessionAbandoned, SessionConcluded:
		return everyone
	case MessageRedacted:
		if e.Visibility == Public {
			return everyone
		}
		return everyone &^ ToCustomer
	case SupervisorJoined:
		if e.Announced {
			return everyone
		}
		return everyone &^ ToCustomer
	case PrivateMessageSent, HelpRequested, HelpResolved, WrapUpCompleted:
		return ToAgent | ToSupervisor | ToAuditor
	case SessionOffered, OfferDeclined, OfferExpired:
		return ToOwnAgent | ToSupervisor | ToAuditor
	case SupervisorStartedMonitoring, SupervisorStoppedMonitoring:
		return ToSupervisor | ToAuditor
	default:
		return ToAuditor
	}
}

// Concerns names the agent to whom an event with ToOwnAgent belongs.
func Concerns(e Event) domain.StaffID {
	switch e := e.(type) {
	case SessionOffered:
		return e.Agent.ID
	case OfferDeclined:
		return e.Agent.ID
	case OfferExpired:
		return e.Agent.ID
	default:
		return ""
	}
}

// Reader is somebody who reads a session in a role: one of ToCustomer, ToAgent, ToSupervisor, ToAuditor. StaffID is who
// the agent is.
type Reader struct {
	As      Audience
	StaffID domain.StaffID
}

// Sees tells whether the reader sees an event.
func (r Reader) Sees(e Event) bool {
	audience := AudienceOf(e)
	return audience&r.As != 0 || r.As == ToAgent && audience&ToOwnAgent != 0 && r.StaffID != "" && Concerns(e) == r.StaffID
}

// seen counts what each audience has seen, so that no number given out counts more (rule 4).
type seen struct {
	customer, agent, supervisor, auditor uint64
	own                                  []ownSeen // events that only the agent concerned has seen
}

type ownSeen struct {
	staff domain.StaffID
	count uint64
}

func (n seen) after(e Event) seen {
	audience := AudienceOf(e)
	add := func(count *uint64, member Audience) {
		if audience&member != 0 {
			*count++
		}
	}
	add(&n.customer, ToCustomer)
	add(&n.agent, ToAgent)
	add(&n.supervisor, ToSupervisor)
	add(&n.auditor, ToAuditor)
	if audience&ToOwnAgent != 0 {
		n.own = countOwn(n.own, Concerns(e))
	}
	return n
}

func countOwn(own []ownSeen, staff domain.StaffID) []ownSeen {
	own = slices.Clone(own)
	for i := range own {
		if own[i].staff == staff {
			own[i].count++
			return own
		}
	}
	return append(own, ownSeen{staff, 1})
}

// Seen is how many events of the session the reader has been able to see.
func (s State) Seen(r Reader) uint64 {
	switch r.As {
	case ToCustomer:
		return s.seen.customer
	case ToAgent:
		count := s.seen.agent
		for _, o := range s.seen.own {
			if o.staff == r.StaffID {
				count += o.count
			}
		}
		return count
	case ToSupervisor:
		return s.seen.supervisor
	case ToAuditor:
		return s.seen.auditor
	default:
		return 0
	}
}
