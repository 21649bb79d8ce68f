package session

import (
	"github.com/chatwatch/chatwatch/domain"
)

// Decide answers a command with the events to append, or a rejection. No events and no error means that the command
// changes nothing.
func Decide(s State, c Command) ([]Event, error) {
	if c, ok := c.(Request); ok {
		return request(s, c)
	}
	// Whether the caller may watch at all is told before, and without, looking at the session.
	if c, ok := c.(Watch); ok && !c.By.MayMonitor() {
		return nil, mayNotMonitor()
	}
	if c, ok := c.(Join); ok && !c.By.MayMonitor() {
		return nil, mayNotMonitor()
	}
	if s.Phase == "" {
		return nil, notFound()
	}
	switch c := c.(type) {
	case OfferTo:
		return offerTo(s, c)
	case Accept:
		return accept(s, c)
	case Decline:
		return decline(s, c)
	case ExpireOffer:
		return expireOffer(s, c)
	case Send:
		return send(s, c)
	case Watch:
		return watch(s, c)
	case Join:
		return join(s, c)
	case Leave:
		return leave(s, c)
	case EndMonitoring:
		return endMonitoring(s, c)
	case RequestHelp:
		return requestHelp(s, c)
	case Transfer:
		return transfer(s, c)
	case Conclude:
		return conclude(s, c)
	case EndWrapUp:
		return endWrapUp(s)
	default:
		panic("session: unknown command")
	}
}

func request(s State, c Request) ([]Event, error) {
	if s.Phase != "" {
		return nil, domain.Reject(domain.StaleRevision, "the session exists already")
	}
	if err := domain.CheckText("customer.name", c.Customer.Name, domain.MaxName); err != nil {
		return nil, err
	}
	if err := domain.CheckOptionalText("customer.email", c.Customer.Email, domain.MaxName); err != nil {
		return nil, err
	}
	if err := domain.CheckOptionalText("question", c.Question, domain.MaxText); err != nil {
		return nil, err
	}
	return []Event{
		SessionRequested{SessionID: c.SessionID, Queue: c.Queue, Customer: c.Customer, Question: c.Question, RequestedAt: c.At},
		SessionQueued{Queue: c.Queue, QueuedAt: c.At},
	}, nil
}

func notFound() error { return domain.Reject(domain.Missing, "no such session") }

func mayNotMonitor() error {
	return domain.Reject(domain.NotPermitted, "the profile does not have supervisor and monitor")
}

func ended() error { return domain.Reject(domain.SessionEnded, "the session has ended") }

func notEngaged() error {
	return domain.Reject(domain.SessionNotEngaged, "the session is not with an agent")
}

func notMonitoring() error {
	return domain.Reject(domain.NotMonitoring, "the session is not being monitored by the caller")
}

func notAParticipant(what string) error {
	return domain.Reject(domain.NotAParticipant, "only %s can do this", what)
}

func notLoggedIn() error { return domain.Reject(domain.NotLoggedIn, "not logged in to chat") }
