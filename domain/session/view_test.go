package session_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
)

// shown collects the strings in a view that came from a field of the event.
func shown(v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return shown(v.Elem())
	case reflect.Struct:
		var all []string
		for i := range v.NumField() {
			all = append(all, shown(v.Field(i))...)
		}
		return all
	case reflect.String:
		if s, ok := strings.CutPrefix(v.String(), "marker."); ok {
			return []string{s}
		}
	}
	return nil
}

func name(e event) string { return reflect.TypeOf(e).Name() }

func TestTheCustomersViewHoldsTheseFieldsOfAnEventAndNoOther(t *testing.T) {
	allowed := map[string][]string{
		"SessionRequested":  {"Customer.Name", "Question"},
		"AgentJoined":       {"Agent.Name"},
		"PublicMessageSent": {"Sender.Role", "Sender.Name", "Text"},
		"SupervisorJoined":  {"Supervisor.Name"}, // announced
		"ParticipantLeft":   {"Participant.Role", "Participant.Name"},
	}
	for _, e := range everyEvent(t) {
		v, _ := session.ForCustomer(e)
		if got := shown(reflect.ValueOf(v)); !slices.Equal(got, allowed[name(e)]) {
			t.Errorf("%s shows the customer %v, want %v", name(e), got, allowed[name(e)])
		}
	}
}

func TestTheCustomersViewHasNoPlaceForMore(t *testing.T) {
	var fields []string
	for _, v := range []reflect.Type{reflect.TypeFor[session.CustomerView](), reflect.TypeFor[session.PublicSender]()} {
		for f := range v.Fields() {
			fields = append(fields, v.Name()+"."+f.Name)
		}
	}
	if want := []string{"CustomerView.Sender", "CustomerView.Text", "PublicSender.Role", "PublicSender.Name"}; !slices.Equal(fields, want) {
		t.Errorf("got %v, want %v", fields, want)
	}
}

func TestNoViewOfATranscriptHoldsAnAddressAReservationOrTheReasonOfARedaction(t *testing.T) {
	for _, e := range everyEvent(t) {
		customer, _ := session.ForCustomer(e)
		agent, _ := session.ForAgent(e, session.Concerns(e))
		supervisor, _ := session.ForSupervisor(e)
		for _, v := range []any{customer, agent, supervisor, session.ForAuditor(e)} {
			for _, field := range shown(reflect.ValueOf(v)) {
				secret := strings.Contains(field, "Email") || strings.Contains(field, "Reservation") || strings.Contains(field, "MessageID")
				if secret || name(e) == "MessageRedacted" && field == "Reason" {
					t.Errorf("%T of %s shows %s", v, name(e), field)
				}
			}
		}
	}
}

func TestAViewIsGivenToWhoSeesTheEventAndToNobodyElse(t *testing.T) {
	for label, e := range variants(t) {
		_, customer := session.ForCustomer(e)
		_, agent := session.ForAgent(e, "ann")
		_, supervisor := session.ForSupervisor(e)
		if want := (session.Reader{As: session.ToCustomer}).Sees(e); customer != want {
			t.Errorf("%s: customer %v, want %v", label, customer, want)
		}
		if want := (session.Reader{As: session.ToAgent, StaffID: "ann"}).Sees(e); agent != want {
			t.Errorf("%s: agent %v, want %v", label, agent, want)
		}
		if want := (session.Reader{As: session.ToSupervisor}).Sees(e); supervisor != want {
			t.Errorf("%s: supervisor %v, want %v", label, supervisor, want)
		}
	}
}

func TestAViewIsPublicToStaffExactlyWhenTheCustomerSeesTheEventToo(t *testing.T) {
	for label, e := range variants(t) {
		want := session.Private
		if (session.Reader{As: session.ToCustomer}).Sees(e) {
			want = session.Public
		}
		if got := session.ForAuditor(e).Visibility; got != want {
			t.Errorf("%s is %s, want %s", label, got, want)
		}
	}
}

func TestEverySenderInAStaffViewHasTheirRole(t *testing.T) {
	for _, e := range everyEvent(t) {
		v := session.ForAuditor(e)
		if v.Sender != nil && v.Sender.Role == "" {
			t.Errorf("%s: %+v", name(e), v.Sender)
		}
	}
	silent := []string{"SessionQueued", "SessionAbandoned", "MessageRedacted"}
	for _, e := range everyEvent(t) {
		if nobody := session.ForAuditor(e).Sender == nil; nobody != slices.Contains(silent, name(e)) {
			t.Errorf("%s names nobody: %v", name(e), nobody)
		}
	}
}

func TestViewsOfAConversation(t *testing.T) {
	message := session.PublicMessageSent{MessageID: "m", Sender: sender("ann", domain.RoleAgent), Text: "hi"}
	if v, _ := session.ForCustomer(message); *v.Sender != (session.PublicSender{Role: domain.RoleAgent, Name: "Name of ann"}) || v.Text != "hi" {
		t.Errorf("%+v", v)
	}
	if v, _ := session.ForCustomer(left("sue")); v.Text != "Participant Left" || v.Sender.Name != "Name of sue" {
		t.Errorf("%+v", v)
	}
	moved := requeued(sales)[0]
	if v, ok := session.ForCustomer(moved); !ok || v != (session.CustomerView{}) {
		t.Errorf("the customer learns of a transfer without a name: %+v", v)
	}
	if v, _ := session.ForAgent(moved, "bob"); v.Text != "Sales" || v.Sender.ID != "ann" {
		t.Errorf("%+v", v)
	}
	assigned := session.SessionTransferred{To: ref("bob"), ToQueueName: "Billing"}
	if v, _ := session.ForSupervisor(assigned); v.Text != "Name of bob" {
		t.Errorf("%+v", v)
	}
}
