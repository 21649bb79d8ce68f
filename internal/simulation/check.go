package simulation

import (
	"bytes"
	"errors"
	"fmt"
)

// forAuditor says what is wrong with what an auditor gets: every public and every private message must stand there once.
func forAuditor(p *Played, t transcript) []string {
	wrong := publicMessages(p, t.entries, "the auditor's transcript")
	privates := 0
	for _, e := range t.entries {
		if e.Type == "PrivateMessageSent" {
			privates++
		}
	}
	if privates != p.privates {
		wrong = append(wrong, fmt.Sprintf("%d private messages were sent and %d are there", p.privates, privates))
	}
	return wrong
}

// forCustomer says what is wrong with what the customer gets: the public messages, numbered without a gap, and nothing of
// staff but the names of those who took part.
func forCustomer(p *Played, t transcript) []string {
	const where = "the customer's transcript"
	wrong := append(publicMessages(p, t.entries, where), dense(t.entries, where)...)
	for _, e := range t.entries {
		if !customerSees(e) {
			wrong = append(wrong, fmt.Sprintf("%s holds entry %d (%s), which is not for customers", where, e.Seq, e.Type))
		}
	}
	if bytes.Contains(t.raw, []byte(p.marker)) {
		wrong = append(wrong, where+" holds a private text or a reason")
	}
	if p.watcher != nil && bytes.Contains(t.raw, []byte(p.watcher.id)) {
		wrong = append(wrong, where+" holds the id of the supervisor")
	}
	if p.watcher != nil && !p.joined && named(t.raw, p.watcher) {
		wrong = append(wrong, where+" holds the name of a supervisor who did not join")
	}
	if bytes.Contains(t.raw, []byte(p.agent.id)) {
		wrong = append(wrong, where+" holds the id of the agent")
	}
	return wrong
}

// forAgent says what is wrong with what the agent gets of a session that was watched in silence.
func forAgent(p *Played, t transcript) []string {
	const where = "the agent's transcript"
	wrong := dense(t.entries, where)
	if bytes.Contains(t.raw, []byte(p.marker)) || bytes.Contains(t.raw, []byte(p.watcher.id)) || named(t.raw, p.watcher) {
		wrong = append(wrong, where+" tells of a supervisor who only watched")
	}
	return wrong
}

// named looks for a JSON string that is the member's name.
func named(raw []byte, m *member) bool { return bytes.Contains(raw, []byte(`"`+m.name+`"`)) }

func publicMessages(p *Played, entries []entry, where string) []string {
	turns := p.Conversation.Turns
	found := 0
	for _, e := range entries {
		if e.Type != publicMessageSent {
			continue
		}
		found++
		if found > len(turns) {
			continue
		}
		turn := turns[found-1]
		if e.Text != turn.Text {
			return []string{fmt.Sprintf("%s: message %d is not the one that was sent", where, found)}
		}
		if e.Sender == nil || e.Sender.Role != turn.Role {
			return []string{fmt.Sprintf("%s: message %d is not by the %s", where, found, turn.Role)}
		}
	}
	if found != len(turns) {
		return []string{fmt.Sprintf("%s: %d messages were sent and %d are there", where, len(turns), found)}
	}
	return nil
}

func dense(entries []entry, where string) []string {
	for i, e := range entries {
		if e.Seq != uint64(i+1) {
			return []string{fmt.Sprintf("%s: entry %d has the number %d", where, i+1, e.Seq)}
		}
	}
	return nil
}

func asRefusal(err error) (*Refusal, bool) { return errors.AsType[*Refusal](err) }
