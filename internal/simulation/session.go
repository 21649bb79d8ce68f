package simulation

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// session is one chat of the run, as all who take part in it.
type session struct {
	run    *run
	number int // from 0

	id, customerToken string
	agent             *member // who has accepted it
	watcher           *member // who has been monitoring it, also when they have left
	live              *listener
	position          string // of the last write
}

// request opens the session as the customer.
func (s *session) request(ctx context.Context, queueID string) error {
	body := encode(map[string]any{
		"queue_id": queueID,
		"customer": map[string]any{
			"name":  fmt.Sprintf("Customer %06d", s.number+1),
			"email": fmt.Sprintf("customer-%06d@example.com", s.number+1),
		},
		"question": "A question about " + queueID,
	})
	var made struct {
		SessionID     string `json:"session_id"`
		CustomerToken string `json:"customer_token"`
	}
	c := write(kindRequest, "/sessions", s.run.requestToken, body)
	c.into = &made
	position, err := s.run.client.do(ctx, c)
	if err != nil {
		return err
	}
	if made.SessionID == "" || made.CustomerToken == "" {
		return &Refusal{Status: http.StatusCreated, Code: "answer_not_understood"}
	}
	s.id, s.customerToken, s.position = made.SessionID, made.CustomerToken, position
	return nil
}

// view is what the driver reads of a session.
type view struct {
	State     string `json:"state"`
	OfferedTo string `json:"offered_to"`
	AgentID   string `json:"agent_id"`
}

func (s *session) look(ctx context.Context) (view, error) {
	var v view
	_, err := s.run.client.do(ctx, call{
		kind: kindLook, method: http.MethodGet, path: "/sessions/" + s.id, token: s.run.site.admin, after: s.position, into: &v,
	})
	return v, err
}

// Pauses between two looks at a session that waits.
const (
	firstLook   = time.Millisecond
	longestLook = 20 * time.Millisecond
)

// engage waits until the session is offered and accepts it as whom it is offered to. An agent of the run pulls it when
// it is offered to somebody else, or to nobody for too long.
func (s *session) engage(ctx context.Context) error {
	began := time.Now()
	for wait := firstLook; ; wait = min(2*wait, longestLook) {
		v, err := s.look(ctx)
		if err != nil {
			return err
		}
		agent, pulled := s.choose(v, time.Since(began))
		switch v.State {
		case "queued", "offered":
		case "engaged":
			if agent == nil {
				return errors.New("a stranger has accepted the session")
			}
			s.engagedBy(agent)
			return nil
		default:
			return fmt.Errorf("the session is %q and was not accepted", v.State)
		}
		if agent != nil {
			took, err := s.accept(ctx, agent, pulled)
			if took || err != nil {
				return err
			}
		}
		if time.Since(began) > s.run.cfg.RetryFor {
			return fmt.Errorf("the session was not accepted in %s", s.run.cfg.RetryFor)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// choose names the agent who has the session or should take it now, if anybody should.
func (s *session) choose(v view, waited time.Duration) (agent *member, pulled bool) {
	site := s.run.site
	switch {
	case v.State == "engaged":
		return site.byID[v.AgentID], false
	case v.State == "offered" && site.byID[v.OfferedTo] != nil:
		return site.byID[v.OfferedTo], false
	case v.State == "offered" && v.OfferedTo != "", waited >= s.run.cfg.OfferWait:
		return site.idlest(), true
	}
	return nil, false
}

// accept tries to take the session. A lost race is no error: the caller looks again.
func (s *session) accept(ctx context.Context, agent *member, pulled bool) (took bool, err error) {
	position, err := s.run.client.do(ctx, write(kindAccept, "/sessions/"+s.id+"/accept", agent.token, nil))
	if err != nil {
		if refusal, ok := errors.AsType[*Refusal](err); ok &&
			(refusal.Status == http.StatusConflict || refusal.Status == http.StatusNotFound) {
			s.run.stats.races.Add(1)
			return false, nil
		}
		return false, err
	}
	if pulled {
		s.run.stats.pulls.Add(1)
	}
	s.position = position
	s.engagedBy(agent)
	return true, nil
}

func (s *session) engagedBy(agent *member) {
	s.agent = agent
	agent.open.Add(1)
}

// post writes a message, which is given as a JSON string.
func (s *session) post(ctx context.Context, k kind, token string, literal []byte) error {
	head := publicHead
	if k == kindPrivate {
		head = privateHead
	}
	body := make([]byte, 0, len(head)+len(literal)+1)
	body = append(append(append(body, head...), literal...), '}')
	position, err := s.run.client.do(ctx, write(k, "/sessions/"+s.id+"/messages", token, body))
	if err != nil {
		return err
	}
	s.position = position
	if k == kindPrivate {
		s.run.stats.privates.Add(1)
		return nil
	}
	s.run.stats.messages.Add(1)
	if s.live != nil {
		s.live.tracker.acked(time.Now())
	}
	return nil
}

const (
	publicHead  = `{"visibility":"public","text":`
	privateHead = `{"visibility":"private","text":`
)

// act does one of the things that have a path of their own.
func (s *session) act(ctx context.Context, k kind, verb, token string, body []byte) error {
	position, err := s.run.client.do(ctx, write(k, "/sessions/"+s.id+"/"+verb, token, body))
	if err == nil {
		s.position = position
	}
	return err
}

// conclude ends the session as its agent.
func (s *session) conclude(ctx context.Context) error {
	return s.act(ctx, kindConclude, "conclude", s.agent.token, concludeBody)
}

var concludeBody = []byte(`{"disposition":"solved"}`)

// customerLeaves ends the session as the customer. The agent completes the wrap-up where the queue has one.
func (s *session) customerLeaves(ctx context.Context) error {
	if err := s.act(ctx, kindLeave, "leave", s.customerToken, nil); err != nil {
		return err
	}
	v, err := s.look(ctx)
	if err != nil || v.State != "wrap_up" {
		return err
	}
	if err := s.conclude(ctx); err != nil && !refused(err, "session_ended") {
		return err
	}
	return nil
}

// listenTo opens the customer's live stream, and waits until it is open.
func (s *session) listenTo(ctx context.Context, want func(i int) (string, bool)) error {
	s.live = s.run.client.listen(ctx, s.id, s.customerToken, &tracker{want: want, ackToLive: &s.run.stats.ackToLive})
	if !s.live.wait(ctx, s.run.cfg.RetryFor) {
		return fmt.Errorf("%w did not open%s", errLive, s.live.tracker.firstProblem())
	}
	return nil
}

// liveWait is how long the end of a session may take to arrive on its live stream.
const liveWait = 10 * time.Second

// hearOut waits for the end of the live stream, if there is one, and returns what was wrong with it.
func (s *session) hearOut(ctx context.Context, messages int) error {
	if s.live == nil {
		return nil
	}
	problems := s.live.finish(ctx, messages, liveWait)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errLive, problems[0])
}

// release gives back what the session holds in this program.
func (s *session) release() {
	if s.agent != nil {
		s.agent.open.Add(-1)
	}
	if s.live != nil {
		s.live.stop()
	}
}
