package session

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
)

func send(s State, c Send) ([]Event, error) {
	if c.By != nil && !s.VisibleTo(*c.By) {
		return nil, notFound()
	}
	if c.Visibility != Public && c.Visibility != Private {
		return nil, domain.Reject(domain.InvalidRequest, "visibility must be %s or %s", Public, Private)
	}
	if err := domain.CheckText("text", c.Text, domain.MaxText); err != nil {
		return nil, err
	}
	if s.Phase.Ended() {
		return nil, ended()
	}
	sender, err := s.sender(c)
	if err != nil {
		return nil, err
	}
	if s.Phase != Engaged {
		return nil, notEngaged()
	}
	if c.Visibility == Public {
		return []Event{PublicMessageSent{MessageID: c.MessageID, Sender: sender, Text: c.Text}}, nil
	}
	events := []Event{PrivateMessageSent{MessageID: c.MessageID, Sender: sender, Text: c.Text}}
	if sender.Role == domain.RoleSupervisor {
		events = append(events, s.helped(c.By.StaffRef)...)
	}
	return events, nil
}

// sender says as whom the caller writes, or why they may not.
func (s State) sender(c Send) (Sender, error) {
	if c.By == nil {
		if c.Visibility == Private {
			return Sender{}, domain.Reject(domain.NotPermitted, "private messages are between staff")
		}
		return Sender{Role: domain.RoleCustomer, Name: s.Customer.Name}, nil
	}
	w, watching := s.Watcher(c.By.ID)
	switch {
	case s.ServedBy(c.By.ID):
		if c.Visibility == Private && !s.EverJoined && c.AgentPrivateReply != queue.Always {
			return Sender{}, domain.Reject(domain.PrivateReplyNeedsJoin, "no supervisor has joined the session")
		}
		return *agentSender(s.Agent.StaffRef), nil
	case watching && c.Visibility == Public && !w.Joined:
		return Sender{}, domain.Reject(domain.NotJoined, "who monitors without having joined can write privately only")
	case watching:
		return *supervisorSender(w.StaffRef), nil
	case s.Phase.Waiting():
		return Sender{}, notEngaged()
	case c.By.MayMonitor():
		return Sender{}, notMonitoring()
	}
	return Sender{}, notAParticipant("a participant of the session")
}
