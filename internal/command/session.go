package command

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

// ChatRequest is what a customer asks for.
type ChatRequest struct {
	QueueID  domain.QueueID
	Customer session.Customer
	Question string
}

// RequestSession opens a session and returns its id with its state.
func (s *Service) RequestSession(ctx context.Context, r Request, c ChatRequest) (domain.SessionID, SessionOutcome, error) {
	q, err := s.queueRef(ctx, c.QueueID)
	if err != nil {
		return "", SessionOutcome{}, err
	}
	id, err := s.sessionID(ctx, r)
	if err != nil {
		return "", SessionOutcome{}, err
	}
	out, err := s.onSession(ctx, id, r, session.Reader{}, session.Request{
		SessionID: id, Queue: q, Customer: c.Customer, Question: c.Question, At: r.At,
	})
	return id, out, err
}

// sessionIDWindow is how long at least a request for a session is recognised when it is sent again.
const sessionIDWindow = time.Hour

// sessionID makes the id of a new session. The id of a request that can be repeated derives from the request and the hour, so
// that a repetition finds the session that the first try made, whatever happened between.
func (s *Service) sessionID(ctx context.Context, r Request) (domain.SessionID, error) {
	if r.Hash == "" {
		id, err := uuid.NewV7()
		return domain.SessionID(id.String()), err
	}
	hour := r.At.Truncate(sessionIDWindow)
	before := derivedV7(r.ID, hour.Add(-sessionIDWindow))
	if _, known, err := s.sessions.Recall(ctx, string(before), r); known || err != nil {
		return before, err
	}
	return derivedV7(r.ID, hour), nil
}

// derivedV7 makes a UUIDv7 (RFC 9562, 5.7) of a time and of the bits of another UUID in place of random ones.
func derivedV7(from uuid.UUID, at time.Time) domain.SessionID {
	id := from
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return domain.SessionID(id.String())
}

func (s *Service) queueRef(ctx context.Context, id domain.QueueID) (session.QueueRef, error) {
	unknown := domain.Reject(domain.UnknownQueue, "the queue does not exist")
	if !domain.ValidID(string(id)) {
		return session.QueueRef{}, unknown
	}
	q, err := s.Queue(ctx, id)
	if err != nil {
		return session.QueueRef{}, err
	}
	if !q.State.Defined {
		return session.QueueRef{}, unknown
	}
	return session.QueueRef{
		ID: id, Name: q.State.Name, ServiceLevelMS: q.State.ServiceLevelMS, ShortAbandonMS: q.State.ShortAbandonMS,
		OfferTimeoutMS: q.State.OfferTimeoutMS, WrapUpMS: q.State.WrapUpMS,
	}, nil
}

// Sent is the outcome of a message.
type Sent struct {
	SessionOutcome
	MessageID string
}

// SendAsCustomer writes a message of the customer of the session.
func (s *Service) SendAsCustomer(ctx context.Context, r Request, id domain.SessionID, v session.Visibility, text string) (Sent, error) {
	send := session.Send{MessageID: messageID(r), Visibility: v, Text: text}
	out, err := s.onSession(ctx, id, r, session.Reader{As: session.ToCustomer}, send)
	return Sent{out, send.MessageID}, err
}

// SendAsStaff writes a message of a staff member in the session.
func (s *Service) SendAsStaff(ctx context.Context, r Request, id domain.SessionID, v session.Visibility, text string) (Sent, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return Sent{}, err
	}
	reply := queue.AfterJoin
	if v == session.Private {
		if reply, err = s.privateReply(ctx, id); err != nil {
			return Sent{}, err
		}
	}
	send := session.Send{By: &by, MessageID: messageID(r), Visibility: v, Text: text, AgentPrivateReply: reply}
	out, err := s.onSession(ctx, id, r, as, send)
	return Sent{out, send.MessageID}, err
}

func (s *Service) privateReply(ctx context.Context, id domain.SessionID) (queue.PrivateReply, error) {
	settings, err := s.settings(ctx, id)
	return settings.AgentPrivateReply, err
}

// settings of the queue of a session at this time.
func (s *Service) settings(ctx context.Context, id domain.SessionID) (queue.Settings, error) {
	v, err := s.Session(ctx, id)
	if err != nil || v.Revision < 0 {
		return queue.Settings{}, err
	}
	q, err := s.Queue(ctx, v.State.Queue.ID)
	return q.State.Settings, err
}

// caller returns who the actor of a request is in a session, and as whom they read it.
func (s *Service) caller(ctx context.Context, r Request, id domain.SessionID) (session.Standing, session.Reader, error) {
	by, err := s.Standing(ctx, r.Actor)
	if err != nil {
		return session.Standing{}, session.Reader{}, err
	}
	if r.IfMatch == nil {
		return by, session.Reader{}, nil
	}
	v, err := s.Session(ctx, id)
	return by, v.State.ReaderFor(by), err
}

// Decline refuses an offer.
func (s *Service) Decline(ctx context.Context, r Request, id domain.SessionID) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.Decline{By: by})
}

// RequestHelp calls for a supervisor.
func (s *Service) RequestHelp(ctx context.Context, r Request, id domain.SessionID, note string) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.RequestHelp{By: by, Note: note})
}

// Conclude ends a session, or completes its wrap-up.
func (s *Service) Conclude(ctx context.Context, r Request, id domain.SessionID, disposition string) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.Conclude{By: by, Disposition: disposition, At: r.At})
}

// Join makes the caller, who monitors the session, a participant.
func (s *Service) Join(ctx context.Context, r Request, id domain.SessionID) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	settings, err := s.settings(ctx, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.Join{By: by, Announce: settings.AnnounceSupervisorJoin})
}

// Leave ends the caller's monitoring.
func (s *Service) Leave(ctx context.Context, r Request, id domain.SessionID) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.Leave{By: &by, At: r.At})
}

// LeaveAsCustomer ends the session for the customer who leaves it.
func (s *Service) LeaveAsCustomer(ctx context.Context, r Request, id domain.SessionID) (SessionOutcome, error) {
	return s.onSession(ctx, id, r, session.Reader{As: session.ToCustomer}, session.Leave{At: r.At})
}

// SessionStream names the stream of a session.
func SessionStream(id domain.SessionID) string { return eventcodec.SessionPrefix + string(id) }
