package simulation

import (
	"context"
	"fmt"
)

// Played is a session that was played to its end.
type Played struct {
	Conversation *Conversation
	SessionID    string

	customerToken  string
	agent, watcher *member
	position       string // of the last write
	marker         string // of what customers must not see
	privates       int
	joined, silent bool // silent: watched, and nothing was done that anybody could notice
}

// play plays one conversation in a session of its own.
func (r *run) play(ctx context.Context, number int, c *Conversation) (Played, *session, error) {
	p := planFor(number, len(c.Turns), r.cfg.Mix)
	s := &session{run: r, number: number}
	defer s.release()
	if err := s.request(ctx, slug(c.Queue)); err != nil {
		return Played{}, s, err
	}
	if p.live {
		want := func(i int) (string, bool) {
			if i >= len(c.Turns) {
				return "", false
			}
			return c.Turns[i].Text, true
		}
		if err := s.listenTo(ctx, want); err != nil {
			return Played{}, s, err
		}
	}
	if err := s.engage(ctx); err != nil {
		return Played{}, s, err
	}
	for i, step := range p.steps {
		if err := s.do(ctx, c, step, i); err != nil {
			return Played{}, s, err
		}
	}
	r.stats.countPlan(p)
	if err := s.hearOut(ctx, len(c.Turns)); err != nil {
		return Played{}, s, err
	}
	return Played{
		Conversation: c, SessionID: s.id, customerToken: s.customerToken, agent: s.agent, watcher: s.watcher,
		position: s.position, marker: r.marker, privates: p.privates(),
		joined: p.joined, silent: p.monitored && !p.joined && !p.coached,
	}, s, nil
}

// do does one step of the plan.
func (s *session) do(ctx context.Context, c *Conversation, step step, index int) error {
	switch step.do {
	case say:
		return s.say(ctx, c.Turns[step.turn])
	case startMonitoring:
		s.watcher = s.run.site.supervisor()
		return s.act(ctx, kindMonitor, "monitor", s.watcher.token, encode(map[string]any{"reason": s.run.marker + "] quality"}))
	case coach:
		return s.whisper(ctx, s.watcher, fmt.Sprintf("step %d] Let the customer finish first.", index))
	case join:
		return s.act(ctx, kindJoin, "join", s.watcher.token, nil)
	case answerPrivately:
		return s.whisper(ctx, s.agent, fmt.Sprintf("step %d] Thank you, I will.", index))
	case stopMonitoring:
		return s.act(ctx, kindLeave, "leave", s.watcher.token, nil)
	case agentConcludes:
		return s.conclude(ctx)
	case customerLeaves:
		return s.customerLeaves(ctx)
	}
	panic("simulation: unknown action")
}

func (s *session) say(ctx context.Context, t Turn) error {
	if s.run.limiter != nil {
		if err := s.run.limiter.Wait(ctx); err != nil {
			return err
		}
	}
	token := s.customerToken
	if t.Role == agentTurn {
		token = s.agent.token
	}
	return s.post(ctx, kindMessage, token, t.encoded())
}

// whisper writes a private message, which begins with the marker.
func (s *session) whisper(ctx context.Context, by *member, text string) error {
	return s.post(ctx, kindPrivate, by.token, encode(s.run.marker+" "+text))
}
