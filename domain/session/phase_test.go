package session_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
	"github.com/chatwatch/chatwatch/domain/session"
)

// The table is written by hand from the rules; the test reads it and asks the decider.
func TestEveryVerbInEveryPhaseIsAnsweredAsTheTableSays(t *testing.T) {
	table := readTable(t, "testdata/verbs_by_phase.txt")
	phases, asked := phaseHistories(), verbs()
	if want := len(asked) + 1; len(table) != want {
		t.Fatalf("the table has %d lines, want %d", len(table), want)
	}
	for i, v := range asked {
		line := table[i+1]
		if line[0] != v.name {
			t.Fatalf("line %d is about %q, want %q", i+2, line[0], v.name)
		}
		for j, p := range phases {
			if table[0][j+1] != p.name {
				t.Fatalf("column %d is %q, want %q", j+1, table[0][j+1], p.name)
			}
			if got := answer(given(t, p.history).State, v.command); got != line[j+1] {
				t.Errorf("%s while %s: got %s, want %s", v.name, p.name, got, line[j+1])
			}
		}
	}
}

func TestTheTableOfVerbsHasEveryCommandAndEveryPhase(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var commands []session.Command
	for _, v := range verbs() {
		if !seen[reflect.TypeOf(v.command)] {
			seen[reflect.TypeOf(v.command)] = true
			commands = append(commands, v.command)
		}
	}
	domaintest.CheckComplete(t, ".", "sessionCommand", commands)
	reached := map[session.Phase]bool{}
	for _, p := range phaseHistories() {
		reached[given(t, p.history).State.Phase] = true
	}
	for _, p := range []session.Phase{"", session.Queued, session.Offered, session.Engaged, session.WrapUp, session.Concluded, session.Abandoned} {
		if !reached[p] {
			t.Errorf("no history ends in phase %q", p)
		}
	}
}

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table [][]string
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		table = append(table, cells)
	}
	return table
}

type phaseHistory struct {
	name    string
	history []event
}

func phaseHistories() []phaseHistory {
	return []phaseHistory{
		{"none", nil},
		{"queued", requested()},
		{"offered", slices.Concat(requested(), offeredTo("ann"))},
		{"engaged", engaged()},
		{"watched", slices.Concat(engaged(), watchedBy("sue"))},
		{"joined", slices.Concat(engaged(), joinedBy("sue"))},
		{"requeued", slices.Concat(engaged(), joinedBy("sue"), requeued(billing))},
		{"wrap_up", slices.Concat(engaged(), wrappingUp())},
		{"concluded", slices.Concat(engaged(), concluded())},
		{"abandoned", slices.Concat(requested(), abandoned())},
	}
}

type verb struct {
	name    string
	command session.Command
}

func verbs() []verb {
	ann, bob, eve := agent("ann"), agent("bob"), agent("eve", "sales")
	sue, sam, root := supervisor("sue"), supervisor("sam"), admin()
	return []verb{
		{"request", session.Request{SessionID: chat, Queue: billing, Customer: customer, Question: "Help?", At: at(0)}},
		{"offer to sue", session.OfferTo{Agent: ref("sue"), ReservationID: "offer-sue", ExpiresAt: at(40)}},
		{"offer to bob", session.OfferTo{Agent: ref("bob"), ReservationID: "offer-bob", ExpiresAt: at(40)}},
		{"ann accepts", accept(ann)},
		{"sue accepts", accept(sue)},
		{"bob accepts", accept(bob)},
		{"eve (other queue) accepts", accept(eve)},
		{"ann declines", session.Decline{By: ann}},
		{"bob declines", session.Decline{By: bob}},
		{"offer to ann expires", session.ExpireOffer{ReservationID: "offer-ann", Reason: session.OfferTimedOut}},
		{"customer writes", public(nil)},
		{"customer writes privately", private(nil)},
		{"ann writes", public(by(ann))},
		{"ann writes privately", private(by(ann))},
		{"bob writes", public(by(bob))},
		{"eve (other queue) writes", public(by(eve))},
		{"sue writes", public(by(sue))},
		{"sue writes privately", private(by(sue))},
		{"sam writes privately", private(by(sam))},
		{"ann asks for help", session.RequestHelp{By: ann, Note: "Please"}},
		{"bob asks for help", session.RequestHelp{By: bob}},
		{"sue asks for help", session.RequestHelp{By: sue}},
		{"sue watches", watch(sue)},
		{"sam watches", watch(sam)},
		{"ann watches", watch(ann)},
		{"root watches", watch(root)},
		{"sue joins", session.Join{By: sue}},
		{"sam joins", session.Join{By: sam}},
		{"bob joins", session.Join{By: bob}},
		{"sue leaves", session.Leave{By: by(sue), At: at(30)}},
		{"sam leaves", session.Leave{By: by(sam), At: at(30)}},
		{"ann leaves", session.Leave{By: by(ann), At: at(30)}},
		{"customer leaves", session.Leave{At: at(30)}},
		{"sue's watch ends", session.EndMonitoring{StaffID: "sue", ReservationID: "watch-sue", Reason: session.MonitorLoggedOut}},
		{"ann transfers to sales", transferInto(ann, sales)},
		{"bob transfers to sales", transferInto(bob, sales)},
		{"sam transfers to billing", transferInto(sam, billing)},
		{"ann transfers to bob", transferTo(ann, bob)},
		{"ann transfers to sue", transferTo(ann, sue)},
		{"ann transfers to eve", transferTo(ann, eve)},
		{"root transfers to bob", transferTo(root, bob)},
		{"root transfers to ann", transferTo(root, ann)},
		{"ann concludes", conclude(ann)},
		{"bob concludes", conclude(bob)},
		{"eve (other queue) concludes", conclude(eve)},
		{"sam concludes", conclude(sam)},
		{"root concludes", conclude(root)},
		{"wrap-up is over", session.EndWrapUp{}},
	}
}

// answer is the code of a refusal, or the names of the events, or "-" for nothing, as the table abbreviates them.
func answer(s session.State, c session.Command) string {
	events, err := session.Decide(s, c)
	if err != nil {
		return abbreviate(string(domain.CodeOf(err)))
	}
	if len(events) == 0 {
		return "-"
	}
	names := make([]string, 0, len(events))
	for _, e := range events {
		names = append(names, abbreviate(reflect.TypeOf(e).Name()))
	}
	return strings.Join(names, "+")
}

func abbreviate(name string) string {
	short := map[string]string{
		"SupervisorStoppedMonitoring": "Stopped",
		"SupervisorStartedMonitoring": "Started",
		"SessionTransferred":          "Transferred",
		"SessionConcluded":            "Concluded",
		"SessionAbandoned":            "Abandoned",
		"SessionRequested":            "Requested",
		"SessionQueued":               "Queued",
		"SessionOffered":              "Offered",
		"PublicMessageSent":           "Public",
		"PrivateMessageSent":          "Private",
		"ParticipantLeft":             "Left",
		"OfferExpired":                "Expired",
		"OfferDeclined":               "Declined",
		"SupervisorJoined":            "Joined",
		"AgentJoined":                 "Agent",
		"WrapUpCompleted":             "Completed",
		"session_not_engaged":         "not_engaged",
		"private_reply_needs_join":    "needs_join",
		"queue_not_in_profile":        "not_in_profile",
	}
	if s, ok := short[name]; ok {
		return s
	}
	return name
}
