package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// site is what a run works with: queues, and the staff who are logged in for it.
type site struct {
	client         *client
	admin, auditor string // tokens
	agents         []*member
	supervisors    []*member
	byID           map[string]*member
	nextSupervisor atomic.Uint64
}

// member of staff.
type member struct {
	id, name, token string
	open            atomic.Int64 // sessions that the run has given them and that have not ended
}

// setUpTogether bounds the requests of the set-up that are under way at once.
const setUpTogether = 16

// setUp defines what is missing of the queues, and the profiles and staff of the run, closes what an earlier run left
// with them, and logs everybody in.
func setUp(ctx context.Context, cfg Config, c *client, queues map[string]string) (*site, error) {
	s := &site{client: c, byID: map[string]*member{}}
	var err error
	if s.admin, err = cfg.Token("admin", cfg.Prefix+"-admin", "Simulation"); err != nil {
		return nil, fmt.Errorf("sign a token for the administrator: %w", err)
	}
	if s.auditor, err = cfg.Token("auditor", cfg.Prefix+"-auditor", "Simulation"); err != nil {
		return nil, fmt.Errorf("sign a token for the auditor: %w", err)
	}
	if err := s.defineQueues(ctx, queues); err != nil {
		return nil, err
	}
	if err := s.defineProfiles(ctx, cfg, queues); err != nil {
		return nil, err
	}
	if s.agents, err = s.hire(ctx, cfg, "agent", "Agent", cfg.Agents); err != nil {
		return nil, err
	}
	if s.supervisors, err = s.hire(ctx, cfg, "supervisor", "Supervisor", cfg.Supervisors); err != nil {
		return nil, err
	}
	// Supervisors first: agents are offered what waits as soon as they are there.
	if err := s.logIn(ctx, s.supervisors, "in_meeting"); err != nil {
		return nil, err
	}
	return s, s.logIn(ctx, s.agents, "available")
}

// defineQueues defines those that do not exist. A queue that somebody has set up already stays as it is.
func (s *site) defineQueues(ctx context.Context, queues map[string]string) error {
	return together(ctx, queues, func(ctx context.Context, id, name string) error {
		_, err := s.client.do(ctx, call{kind: kindSetUp, method: http.MethodGet, path: "/queues/" + id, token: s.admin})
		if err == nil {
			return nil
		}
		if !refused(err, "not_found", "unknown_queue") {
			return fmt.Errorf("look at queue %s: %w", id, err)
		}
		if err := s.put(ctx, "/queues/"+id, map[string]any{
			"name": name, "service_level_ms": 30_000, "short_abandon_ms": 5_000,
			"announce_supervisor_join": false, "agent_private_reply": "after_join",
		}); err != nil {
			return fmt.Errorf("define queue %s: %w", id, err)
		}
		return nil
	})
}

func (s *site) defineProfiles(ctx context.Context, cfg Config, queues map[string]string) error {
	ids := make([]string, 0, len(queues))
	for id := range queues {
		ids = append(ids, id)
	}
	profile := func(name string, supervisor bool, sessions int) map[string]any {
		return map[string]any{
			"name": name, "chat": true, "supervisor": supervisor, "monitor": supervisor, "max_sessions": sessions,
			"queues": ids, "pull_policy": "first_due", "allow_decline": false,
		}
	}
	// A monitoring holds its slot for a moment longer than the session lasts, hence twice.
	watched := min(2*cfg.Parallel+10, maxSessions)
	for id, body := range map[string]map[string]any{
		cfg.Prefix + "-agents":      profile("Simulated agents", false, cfg.AgentSessions),
		cfg.Prefix + "-supervisors": profile("Simulated supervisors", true, watched),
	} {
		if err := s.put(ctx, "/profiles/"+id, body); err != nil {
			return fmt.Errorf("define profile %s: %w", id, err)
		}
	}
	return nil
}

// hire registers members and closes what they hold still.
func (s *site) hire(ctx context.Context, cfg Config, what, title string, count int) ([]*member, error) {
	members := make([]*member, count)
	for i := range members {
		m := &member{id: fmt.Sprintf("%s-%s-%03d", cfg.Prefix, what, i+1), name: fmt.Sprintf("%s %d", title, i+1)}
		var err error
		if m.token, err = cfg.Token("staff", m.id, m.name); err != nil {
			return nil, fmt.Errorf("sign a token for %s: %w", m.id, err)
		}
		members[i], s.byID[m.id] = m, m
	}
	return members, s.all(ctx, members, func(ctx context.Context, m *member) error {
		body := map[string]any{"name": m.name, "profile_id": cfg.Prefix + "-" + what + "s"}
		if err := s.put(ctx, "/staff/"+m.id, body); err != nil {
			return fmt.Errorf("register %s: %w", m.id, err)
		}
		return s.closeOpen(ctx, m)
	})
}

func (s *site) put(ctx context.Context, path string, body any) error {
	_, err := s.client.do(ctx, call{kind: kindSetUp, method: http.MethodPut, path: path, token: s.admin, body: encode(body)})
	return err
}

// duty is what is read of a staff member.
type duty struct {
	LoggedIn      bool              `json:"logged_in"`
	SessionsInUse int               `json:"sessions_in_use"`
	Sessions      []json.RawMessage `json:"sessions"`
}

// sessionIDs of the sessions in use, whether they stand there as ids or as objects.
func (d duty) sessionIDs() []string {
	var ids []string
	for _, raw := range d.Sessions {
		var id string
		var object struct {
			ID string `json:"session_id"`
		}
		if json.Unmarshal(raw, &id) == nil && id != "" {
			ids = append(ids, id)
		} else if json.Unmarshal(raw, &object) == nil && object.ID != "" {
			ids = append(ids, object.ID)
		}
	}
	return ids
}

func (s *site) dutyOf(ctx context.Context, k kind, m *member, after string) (duty, error) {
	var d duty
	_, err := s.client.do(ctx, call{kind: k, method: http.MethodGet, path: "/staff/" + m.id, token: s.admin, after: after, into: &d})
	return d, err
}

func (s *site) closeOpen(ctx context.Context, m *member) error {
	d, err := s.dutyOf(ctx, kindSetUp, m, "")
	if err != nil {
		return fmt.Errorf("look at %s: %w", m.id, err)
	}
	for _, id := range d.sessionIDs() {
		s.abort(ctx, id)
	}
	return nil
}

// abort ends a session as the administrator, if it has not ended.
func (s *site) abort(ctx context.Context, sessionID string) {
	// What cannot be closed is seen by who counts the slots.
	_, _ = s.client.do(ctx, write(kindSetUp, "/sessions/"+sessionID+"/conclude", s.admin, abortBody))
}

var abortBody = []byte(`{"disposition":"aborted"}`)

func (s *site) logIn(ctx context.Context, members []*member, status string) error {
	body := encode(map[string]any{"status": status})
	return s.all(ctx, members, func(ctx context.Context, m *member) error {
		if _, err := s.client.do(ctx, write(kindSetUp, "/staff/"+m.id+"/login", m.token, body)); err != nil {
			return fmt.Errorf("log %s in: %w", m.id, err)
		}
		return nil
	})
}

// logOut sends everybody home. Who has open sessions still stays.
func (s *site) logOut(ctx context.Context) {
	everybody := append(append([]*member{}, s.agents...), s.supervisors...)
	_ = s.all(ctx, everybody, func(ctx context.Context, m *member) error {
		_, _ = s.client.do(ctx, write(kindSetUp, "/staff/"+m.id+"/logout", m.token, nil)) // the next run closes what is open
		return nil
	})
}

// idlest is the agent to whom the run has given the fewest sessions.
func (s *site) idlest() *member {
	best := s.agents[0]
	for _, m := range s.agents[1:] {
		if m.open.Load() < best.open.Load() {
			best = m
		}
	}
	return best
}

// supervisor gives out one after the other.
func (s *site) supervisor() *member {
	return s.supervisors[s.nextSupervisor.Add(1)%uint64(len(s.supervisors))]
}

func (s *site) all(ctx context.Context, members []*member, do func(context.Context, *member) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setUpTogether)
	for _, m := range members {
		group.Go(func() error { return do(ctx, m) })
	}
	return group.Wait()
}

func together(ctx context.Context, pairs map[string]string, do func(ctx context.Context, k, v string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setUpTogether)
	for k, v := range pairs {
		group.Go(func() error { return do(ctx, k, v) })
	}
	return group.Wait()
}
