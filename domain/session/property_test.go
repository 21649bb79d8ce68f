package session_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/slots"
)

// Random commands of several people on one session, through Decide and Evolve.

// secret stands in every text that the customer must not see; staff ids hold it too.
const secret = "§secret"

func people() []session.Standing {
	both := []domain.QueueID{"billing", "sales"}
	all := []session.Standing{
		agent("ann"+secret, both...), agent("bob" + secret), supervisor("sue"+secret, both...), supervisor("sam"+secret, both...),
		supervisor("sid"+secret, "sales"), {StaffRef: session.StaffRef{ID: "root" + secret}, Admin: true},
	}
	for i := range all {
		all[i].Name = "A Name"
	}
	return all
}

// play is a session that random commands are given to.
type play struct {
	t       *rapid.T
	state   session.State
	history []event
	open    map[domain.StaffID]string // reservations that have begun and not ended
	joined  map[domain.StaffID]bool
	step    int
	past    []string        // what the earlier states looked like
	states  []session.State // the earlier states
}

func TestWhateverIsAskedTheSessionStaysSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &play{t: t, open: map[domain.StaffID]string{}, joined: map[domain.StaffID]bool{}}
		p.do(session.Request{SessionID: chat, Queue: billing, Customer: customer, Question: "?", At: at(0)})
		for range rapid.IntRange(30, 90).Draw(t, "steps") {
			p.do(p.draw())
		}
		for i, s := range p.states {
			if now := fmt.Sprintf("%#v", s); now != p.past[i] {
				t.Fatalf("Evolve changed an earlier state\nwas %s\nis  %s", p.past[i], now)
			}
		}
	})
}

func (p *play) draw() session.Command {
	t := p.t
	p.step++
	who := rapid.SampledFrom(people()).Draw(t, "who")
	who.LoggedIn = rapid.IntRange(0, 9).Draw(t, "duty") > 0
	to := rapid.SampledFrom(people()[:5]).Draw(t, "to")
	reservation := fmt.Sprint("r", p.step)
	send := session.Send{
		By: by(who), MessageID: fmt.Sprint("m", p.step), Visibility: session.Private, Text: secret, AgentPrivateReply: queue.AfterJoin,
	}
	fromCustomer := session.Send{MessageID: fmt.Sprint("m", p.step), Visibility: session.Public, Text: "hello"}
	spoken := send
	spoken.Visibility, spoken.Text = session.Public, "hello"
	into := rapid.SampledFrom([]session.QueueRef{billing, sales}).Draw(t, "queue")
	into.WrapUpMS = domain.Millis(rapid.SampledFrom([]int{0, 1000}).Draw(t, "wrap-up"))
	var watched domain.StaffID
	if len(p.state.Watchers) > 0 {
		watched = p.state.Watchers[0].ID
	}
	held := p.open[watched]
	return rapid.SampledFrom([]session.Command{
		session.Request{SessionID: chat, Queue: into, Customer: customer, Question: "?", At: at(p.step)},
		session.OfferTo{Agent: to.StaffRef, ReservationID: reservation, ExpiresAt: at(p.step + 30)},
		session.Accept{By: who, ReservationID: reservation, At: at(p.step)}, session.Accept{By: to, ReservationID: reservation, At: at(p.step)},
		session.Decline{By: who}, session.Decline{By: to},
		session.ExpireOffer{ReservationID: p.state.Offer.ReservationID, Reason: secret},
		fromCustomer, spoken, send,
		session.Watch{By: who, ReservationID: reservation, Reason: secret}, session.Watch{By: to, ReservationID: reservation},
		session.Join{By: who}, session.Join{By: to, Announce: true}, session.Leave{By: by(who), At: at(p.step)},
		session.EndMonitoring{StaffID: watched, ReservationID: held, Reason: secret},
		session.RequestHelp{By: who, Note: secret},
		session.Transfer{By: who, ToQueue: &into, At: at(p.step)},
		session.Transfer{By: who, To: &to, ReservationID: reservation, At: at(p.step)},
		rapid.SampledFrom([]session.Command{
			fromCustomer, spoken, send, fromCustomer, session.Leave{At: at(p.step)}, session.Conclude{By: who, Disposition: secret, At: at(p.step)},
			session.Conclude{By: who, At: at(p.step)}, session.EndWrapUp{},
		}).Draw(t, "end"),
	}).Draw(t, "command")
}

func (p *play) do(c session.Command) {
	p.t.Helper()
	before := p.state
	events, err := session.Decide(before, c)
	if err != nil {
		r, ok := err.(*domain.Rejection)
		if !ok || r.Kind() == 0 || len(events) > 0 {
			p.t.Fatalf("%T: %v with %v", c, err, events)
		}
	}
	_, message := c.(session.Send)
	if message && before.Phase.Ended() && err == nil {
		p.t.Fatalf("a message was accepted while %s", before.Phase)
	}
	for _, e := range events {
		p.past, p.states = append(p.past, fmt.Sprintf("%#v", p.state)), append(p.states, p.state)
		p.state = session.Evolve(p.state, e)
		p.history = append(p.history, e)
		p.follow(e)
	}
	p.checkSilence(before, c)
	p.check()
}

// follow keeps the books of reservations and of who has joined.
func (p *play) follow(e event) {
	if ended, ok := slots.EndedBy(e); ok {
		if open := p.open[ended.StaffID]; open == ended.ReservationID {
			delete(p.open, ended.StaffID)
		} else {
			p.t.Fatalf("%T ends %+v, open is %q", e, ended, open)
		}
	}
	if begun, ok := slots.BegunBy(chat, e); ok {
		_, accepted := e.(session.AgentJoined)
		if open := p.open[begun.StaffID]; open != "" && !accepted {
			p.t.Fatalf("%T begins %+v, %q is still open", e, begun, open)
		}
		p.open[begun.StaffID] = begun.Slot.ReservationID
	}
	switch e := e.(type) {
	case session.SupervisorJoined:
		p.joined[e.Supervisor.ID] = true
	case session.ParticipantLeft:
		if e.Participant.Role == domain.RoleSupervisor && !p.joined[domain.StaffID(e.Participant.ID)] {
			p.t.Fatalf("%s is said to have left, and had not joined", e.Participant.ID)
		}
	case session.SupervisorStoppedMonitoring:
		delete(p.joined, e.Supervisor.ID)
	}
}

// checkSilence is rule 4: by a watch, and by the end of one that never joined, nobody else's numbers move.
func (p *play) checkSilence(before session.State, c session.Command) {
	silent := false
	switch c := c.(type) {
	case session.Watch:
		silent = true
	case session.Leave:
		if c.By != nil {
			w, _ := before.Watcher(c.By.ID)
			silent = !w.Joined
		}
	}
	if !silent {
		return
	}
	for _, r := range p.readers() {
		if r.As&(session.ToSupervisor|session.ToAuditor) == 0 && before.Seen(r) != p.state.Seen(r) {
			p.t.Fatalf("%T moved the number of %+v", c, r)
		}
	}
}

func (p *play) readers() []session.Reader {
	readers := []session.Reader{{As: session.ToCustomer}, {As: session.ToSupervisor}, {As: session.ToAuditor}}
	for _, who := range people() {
		readers = append(readers, session.Reader{As: session.ToAgent, StaffID: who.ID})
	}
	return readers
}

func (p *play) check() {
	s, t := p.state, p.t
	seen := map[domain.StaffID]bool{}
	for _, w := range s.Watchers {
		if seen[w.ID] || s.ServedBy(w.ID) || s.OfferedTo(w.ID) {
			t.Fatalf("%s watches twice, or the session that they serve: %+v", w.ID, s)
		}
		seen[w.ID] = true
	}
	if s.Phase.Ended() && len(s.Watchers) > 0 {
		t.Fatalf("watchers after the end: %+v", s.Watchers)
	}
	if (s.Phase == session.Offered) != (s.Offer.ReservationID != "") {
		t.Fatalf("phase %s with offer %+v", s.Phase, s.Offer)
	}
	claims := map[domain.StaffID]string{}
	for _, who := range people() {
		if slot, ok := slots.Claim(s, who.ID); ok {
			claims[who.ID] = slot.ReservationID
		}
	}
	if !reflect.DeepEqual(claims, p.open) {
		t.Fatalf("claimed are %v, open are %v", claims, p.open)
	}
	p.checkReaders()
}

func (p *play) checkReaders() {
	for _, r := range p.readers() {
		visible := 0
		for _, e := range p.history {
			if r.Sees(e) {
				visible++
			}
		}
		if got := p.state.Seen(r); got != uint64(visible) {
			p.t.Fatalf("reader %+v has seen %d, %d are visible", r, got, visible)
		}
	}
	for _, e := range p.history[max(0, len(p.history)-6):] {
		if v, _ := session.ForCustomer(e); strings.Contains(fmt.Sprintf("%+v %+v", v, v.Sender), secret) {
			p.t.Fatalf("the customer sees %+v %+v of %T", v, v.Sender, e)
		}
	}
}
