package session

import "github.com/chatwatch/chatwatch/domain"

// CustomerView is all that the customer gets of an event: no identifier of a staff member, no reason, no address. It holds
// nothing that could carry more.
type CustomerView struct {
	Sender *PublicSender // nil when nobody is named
	Text   string
}

// PublicSender is how the customer is shown who wrote or came or left.
type PublicSender struct {
	Role domain.Role
	Name string
}

// AgentView is what the agent in the session gets of an event.
type AgentView struct {
	Visibility Visibility // Public when the customer sees the event too
	Sender     *Sender
	Text       string
}

// SupervisorView is what a supervisor who watches, or an auditor, gets of an event in a transcript.
type SupervisorView struct {
	Visibility Visibility
	Sender     *Sender
	Text       string
}

// LeftText stands on the public thread when a participant leaves.
const LeftText = "Participant Left"

// ForCustomer returns the customer's view of an event, if they have one.
func ForCustomer(e Event) (CustomerView, bool) {
	if AudienceOf(e)&ToCustomer == 0 {
		return CustomerView{}, false
	}
	switch e := e.(type) {
	case SessionRequested:
		return CustomerView{&PublicSender{domain.RoleCustomer, e.Customer.Name}, e.Question}, true
	case AgentJoined:
		return CustomerView{Sender: &PublicSender{domain.RoleAgent, e.Agent.Name}}, true
	case PublicMessageSent:
		return CustomerView{&PublicSender{e.Sender.Role, e.Sender.Name}, e.Text}, true
	case SupervisorJoined:
		return CustomerView{Sender: &PublicSender{domain.RoleSupervisor, e.Supervisor.Name}}, true
	case ParticipantLeft:
		return CustomerView{&PublicSender{e.Participant.Role, e.Participant.Name}, LeftText}, true
	default:
		// Transfers, ends and redactions are announced without a name or a reason.
		return CustomerView{}, true
	}
}

// ForAgent returns the view of an agent of the session, if they have one.
func ForAgent(e Event, self domain.StaffID) (AgentView, bool) {
	if !(Reader{As: ToAgent, StaffID: self}).Sees(e) {
		return AgentView{}, false
	}
	return AgentView{visibility(e), staffSender(e), staffText(e)}, true
}

// ForSupervisor returns the view of a supervisor who watches, if they have one.
func ForSupervisor(e Event) (SupervisorView, bool) {
	if AudienceOf(e)&ToSupervisor == 0 {
		return SupervisorView{}, false
	}
	return ForAuditor(e), true
}

// ForAuditor returns an auditor's view in a transcript. They see every event.
func ForAuditor(e Event) SupervisorView {
	return SupervisorView{visibility(e), staffSender(e), staffText(e)}
}

func visibility(e Event) Visibility {
	if AudienceOf(e)&ToCustomer != 0 {
		return Public
	}
	return Private
}

func staffSender(e Event) *Sender {
	switch e := e.(type) {
	case SessionRequested:
		return &Sender{Role: domain.RoleCustomer, Name: e.Customer.Name}
	case SessionOffered:
		return agentSender(e.Agent)
	case OfferDeclined:
		return agentSender(e.Agent)
	case OfferExpired:
		return agentSender(e.Agent)
	case AgentJoined:
		return agentSender(e.Agent)
	case PublicMessageSent:
		return &e.Sender
	case PrivateMessageSent:
		return &e.Sender
	case SupervisorStartedMonitoring:
		return supervisorSender(e.Supervisor)
	case SupervisorJoined:
		return supervisorSender(e.Supervisor)
	case SupervisorStoppedMonitoring:
		return supervisorSender(e.Supervisor)
	case ParticipantLeft:
		return &e.Participant
	case HelpRequested:
		return agentSender(e.Agent)
	case HelpResolved:
		return supervisorSender(e.By)
	case SessionTransferred:
		return &Sender{ID: e.By.ID, Role: e.By.Role, Name: e.By.Name}
	case SessionConcluded:
		return &Sender{ID: e.By.ID, Role: e.By.Role, Name: e.By.Name}
	case WrapUpCompleted:
		return agentSender(e.Agent)
	default:
		return nil
	}
}

func staffText(e Event) string {
	switch e := e.(type) {
	case SessionRequested:
		return e.Question
	case PublicMessageSent:
		return e.Text
	case PrivateMessageSent:
		return e.Text
	case OfferExpired:
		return e.Reason
	case SupervisorStartedMonitoring:
		return e.Reason
	case SupervisorStoppedMonitoring:
		return e.Reason
	case ParticipantLeft:
		return LeftText
	case HelpRequested:
		return e.Note
	case SessionTransferred:
		if e.To.ID != "" {
			return e.To.Name
		}
		return e.ToQueueName
	case SessionConcluded:
		return e.Reason
	case WrapUpCompleted:
		return e.Disposition
	default:
		return ""
	}
}

func agentSender(r StaffRef) *Sender {
	return &Sender{ID: string(r.ID), Role: domain.RoleAgent, Name: r.Name}
}

func supervisorSender(r StaffRef) *Sender {
	return &Sender{ID: string(r.ID), Role: domain.RoleSupervisor, Name: r.Name}
}
