package simulation

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// verifyTogether bounds the sessions that are read back at once.
const verifyTogether = 16

// verify reads back what the run has played and compares it with what was sent: for auditors, the public messages exactly
// as they are in the file and every private one; for customers, the same public messages under numbers without a gap,
// and nothing of staff; for agents, nothing of who only watched; and that nobody holds a slot any more. The error says
// that it could not be read.
func (r *run) verify(ctx context.Context, played []Played) (Report, error) {
	found := &findings{report: Report{Problems: []Problem{}}}
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(verifyTogether)
	for i := range played {
		p := &played[i]
		group.Go(func() error { return r.verifySession(ctx2, p, found) })
	}
	if err := group.Wait(); err != nil {
		return found.report, err
	}
	after := ""
	if len(played) > 0 {
		after = played[len(played)-1].position
	}
	if err := r.verifySlots(ctx, after, found); err != nil {
		return found.report, err
	}
	return found.report, nil
}

// verifySession reads one session in the roles of those who took part.
func (r *run) verifySession(ctx context.Context, p *Played, found *findings) error {
	roles := []struct {
		token string
		check func(*Played, transcript) []string
	}{
		{r.site.auditor, forAuditor}, {p.customerToken, forCustomer}, {p.agent.token, forAgent},
	}
	messages := 0
	for i, role := range roles {
		if i == 2 && !p.silent {
			continue // the agent may know of everybody else
		}
		t, err := r.transcript(ctx, p, role.token)
		if _, refusal := asRefusal(err); refusal && ctx.Err() == nil {
			found.add(p.problem(fmt.Sprintf("%s cannot read it: %v", [...]string{"the auditor", "the customer", "the agent"}[i], err)))
			continue
		}
		if err != nil {
			return err
		}
		wrong := role.check(p, t)
		for _, what := range wrong {
			found.add(p.problem(what))
		}
		if i == 0 && len(wrong) == 0 {
			messages = len(p.Conversation.Turns)
		}
	}
	found.session(messages)
	return nil
}

func (p *Played) problem(what string) Problem {
	return Problem{ConversationID: p.Conversation.ID, SessionID: p.SessionID, What: what}
}

// transcript is what one role gets of a session: the entries, and the bytes in which they came.
type transcript struct {
	entries []entry
	raw     []byte
}

func (r *run) transcript(ctx context.Context, p *Played, token string) (transcript, error) {
	var t transcript
	cursor := ""
	for {
		var page struct {
			Entries    []entry `json:"entries"`
			NextCursor string  `json:"next_cursor"`
		}
		var raw []byte
		path := "/sessions/" + p.SessionID + "/transcript"
		if cursor != "" {
			path += "?cursor=" + url.QueryEscape(cursor)
		}
		if _, err := r.client.do(ctx, call{
			kind: kindReadBack, method: http.MethodGet, path: path, token: token, after: p.position, into: &page, raw: &raw,
		}); err != nil {
			return t, err
		}
		t.entries, t.raw = append(t.entries, page.Entries...), append(t.raw, raw...)
		if page.NextCursor == "" || page.NextCursor == cursor {
			return t, nil
		}
		cursor = page.NextCursor
	}
}

// Slots are given back by a process that follows the sessions, so they get a time to be.
const (
	slotsWithin = 25 * time.Second // one whose session event never came is given back after 15
	slotsPause  = 50 * time.Millisecond
)

func (r *run) verifySlots(ctx context.Context, after string, found *findings) error {
	began := time.Now()
	for _, m := range r.site.byID {
		for {
			d, err := r.site.dutyOf(ctx, kindReadBack, m, after)
			if err != nil {
				return fmt.Errorf("look at %s: %w", m.id, err)
			}
			if d.SessionsInUse == 0 {
				break
			}
			if time.Since(began) > slotsWithin {
				found.add(Problem{StaffID: m.id, What: fmt.Sprintf("%d sessions are in use still", d.SessionsInUse)})
				break
			}
			if err := pause(ctx, slotsPause); err != nil {
				return err
			}
		}
	}
	return nil
}
