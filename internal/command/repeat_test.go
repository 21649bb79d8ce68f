package command_test

import (
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
)

// repeat is a command with a request that can be sent again; it returns whether the answer was a repetition.
type repeat struct {
	name string
	r    command.Request
	run  func(s *command.Service, r command.Request) (bool, error)
}

// repeats are commands of every kind of stream, in an order that each finds what it needs.
func (w *world) repeats(id, waiting domain.SessionID) []repeat {
	ctx := w.ctx
	return []repeat{
		{"define a queue", asAdmin(), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.DefineQueue(ctx, r, "new", queueSettings("New"))
			return out.Replayed, err
		}},
		{"define a profile", asAdmin(), func(s *command.Service, r command.Request) (bool, error) {
			p := agentProfile()
			p.Name = "Other"
			out, err := s.DefineProfile(ctx, r, "other", p)
			return out.Replayed, err
		}},
		{"register", asAdmin(), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.RegisterStaff(ctx, r, "new", "New", "agent")
			return out.Replayed, err
		}},
		{"log in", asStaff("new"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.LogIn(ctx, r, "new", staff.OnBreak)
			return out.Replayed, err
		}},
		{"set a status", asStaff("new"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.SetStatus(ctx, r, "new", staff.Available, "")
			return out.Replayed, err
		}},
		{"accept", asStaff("new"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.Accept(ctx, r, waiting)
			return out.Replayed, err
		}},
		{"message", asCustomer(), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.SendAsCustomer(ctx, r, id, session.Public, "hi")
			return out.Replayed, err
		}},
		{"help", asStaff("ann"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.RequestHelp(ctx, r, id, "")
			return out.Replayed, err
		}},
		{"monitor", asStaff("sue"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.Monitor(ctx, r, id, "")
			return out.Replayed, err
		}},
		{"join", asStaff("sue"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.Join(ctx, r, id)
			return out.Replayed, err
		}},
		{"leave", asStaff("sue"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.Leave(ctx, r, id)
			return out.Replayed, err
		}},
		{"transfer", asStaff("ann"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.TransferToStaff(ctx, r, id, "sue")
			return out.Replayed, err
		}},
		{"conclude", asStaff("sue"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.Conclude(ctx, r, id, "")
			return out.Replayed, err
		}},
		{"log out", asStaff("sue"), func(s *command.Service, r command.Request) (bool, error) {
			out, err := s.LogOut(ctx, r, "sue")
			return out.Replayed, err
		}},
	}
}

func TestARequestThatIsSentAgainIsAnsweredAndAppendsNothing(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id, waiting := w.engaged("ann"), w.waiting()
	done := w.repeats(id, waiting)
	for _, c := range done {
		if replayed, err := c.run(w.Service, c.r); replayed || err != nil {
			t.Fatalf("%s: replayed %v, %v", c.name, replayed, err)
		}
		w.again(c, w.Service)
	}
	restarted := service(t, w.store, false)
	for _, c := range done {
		w.again(c, restarted)
	}
	w.sound()
}

// again sends a request again, and then another under the same key.
func (w *world) again(c repeat, s *command.Service) {
	w.t.Helper()
	before := len(w.log())
	if replayed, err := c.run(s, c.r); !replayed || err != nil {
		w.t.Errorf("%s again: replayed %v, %v", c.name, replayed, err)
	}
	other := c.r
	other.Hash = "another hash"
	_, err := c.run(s, other)
	w.refused(domain.IdempotencyKeyReused, err)
	if after := len(w.log()); after != before {
		w.t.Errorf("%s again appended %d events", c.name, after-before)
	}
}

func TestAChatRequestThatIsSentAgainFindsItsSession(t *testing.T) {
	w := newWorld(t)
	r := asCustomer()
	ask := command.ChatRequest{QueueID: "billing", Customer: session.Customer{Name: "Cora"}}
	first, _, err := w.RequestSession(w.ctx, r, ask)
	w.ok(err)
	s := service(t, w.store, false)
	for _, later := range []int{0, 30, 59} {
		again := r
		again.At = noon.Add(minutes(later))
		id, out, err := s.RequestSession(w.ctx, again, ask)
		if err != nil || id != first || !out.Replayed {
			t.Errorf("%d minutes later: %s %v %v", later, id, out.Replayed, err)
		}
	}
	next := r
	next.At = noon.Add(minutes(61))
	id, out, err := s.RequestSession(w.ctx, next, ask)
	if err != nil || id != first || !out.Replayed {
		t.Errorf("in the next hour: %s %v %v", id, out.Replayed, err)
	}
	r.Hash = "another hash"
	_, _, err = s.RequestSession(w.ctx, r, ask)
	w.refused(domain.IdempotencyKeyReused, err)
	_, _, err = s.RequestSession(w.ctx, asCustomer(), command.ChatRequest{QueueID: "no such"})
	w.refused(domain.UnknownQueue, err)
}

func TestRequestsThatCannotBeRepeatedAreNotTakenForEachOther(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	id := w.engaged("ann")
	before := len(w.log())
	for range 2 {
		r := asCustomer()
		r.Hash = ""
		out, err := w.SendAsCustomer(w.ctx, r, id, session.Public, "hi")
		if err != nil || out.Replayed || len(out.Events) != 1 {
			t.Errorf("%+v %v", out, err)
		}
	}
	if after := len(w.log()); after != before+2 {
		t.Errorf("%d events were appended", after-before)
	}
}

func TestAMessageWhoseFateIsUnknownIsNotDoubledByTheSameKey(t *testing.T) {
	for _, end := range []fate{lost, stored, late} {
		t.Run(string(end), func(t *testing.T) {
			w := newWorld(t)
			w.onDuty("agent", "ann")
			id := w.engaged("ann")
			store := &faults{Store: w.store, failAt: 1, fate: end}
			s := service(t, store, false)
			r := asCustomer()
			_, err := s.SendAsCustomer(w.ctx, r, id, session.Public, "hi")
			if err == nil {
				t.Fatal("the fault did not strike")
			}
			store.flush()
			out, err := s.SendAsCustomer(w.ctx, r, id, session.Public, "hi")
			if err != nil || out.Replayed != (end != lost) || out.MessageID == "" {
				t.Errorf("replayed %v, %v", out.Replayed, err)
			}
			if got := w.types(command.SessionStream(id)); len(got) != 4 {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAConditionHoldsForWhatTheCallerSees(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.engaged("ann")
	ann := session.Reader{As: session.ToAgent, StaffID: "ann"}
	revision := w.state(id).Revision(ann)
	w.must(w.Monitor(w.ctx, asStaff("sue"), id, "")) // which ann cannot see
	first := asStaff("ann")
	first.IfMatch = &revision
	w.must(w.SendAsStaff(w.ctx, first, id, session.Public, "hi"))
	second := asStaff("ann")
	second.IfMatch = &revision
	_, err := w.SendAsStaff(w.ctx, second, id, session.Public, "hi")
	w.refused(domain.StaleRevision, err)
	w.must(w.SendAsStaff(w.ctx, first, id, session.Public, "hi")) // again: it was carried out

	seen := w.state(id).Revision(session.Reader{As: session.ToCustomer})
	customer := asCustomer()
	customer.IfMatch = &seen
	w.must(w.SendAsCustomer(w.ctx, customer, id, session.Public, "hello"))
}

func TestAConditionHoldsForConfigurationAndDuty(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	zero, one := int64(0), int64(1)
	stale, good := asAdmin(), asAdmin()
	stale.IfMatch, good.IfMatch = &one, &zero
	renamed := queueSettings("renamed")
	_, err := w.DefineQueue(w.ctx, stale, "billing", renamed)
	w.refused(domain.StaleRevision, err)
	w.must(w.DefineQueue(w.ctx, good, "billing", renamed))
	status := asStaff("ann")
	status.IfMatch = &zero
	_, err = w.SetStatus(w.ctx, status, "ann", staff.OnBreak, "")
	w.refused(domain.StaleRevision, err)
	status.IfMatch = &one
	w.must(w.SetStatus(w.ctx, status, "ann", staff.OnBreak, ""))
}

func TestConfigurationThatCannotBeIsRefused(t *testing.T) {
	w := newWorld(t)
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'a'
	}
	for _, id := range []string{"", "Billing", string(long)} {
		_, err := w.DefineQueue(w.ctx, asAdmin(), domain.QueueID(id), queueSettings("x"))
		w.refused(domain.InvalidRequest, err)
		_, err = w.DefineProfile(w.ctx, asAdmin(), domain.ProfileID(id), agentProfile())
		w.refused(domain.InvalidRequest, err)
		_, err = w.RegisterStaff(w.ctx, asAdmin(), domain.StaffID(id), "x", "agent")
		w.refused(domain.InvalidRequest, err)
		_, err = w.LogIn(w.ctx, asAdmin(), domain.StaffID(id), staff.Available)
		w.refused(domain.Missing, err)
	}
	p := agentProfile()
	p.Queues = append(p.Queues, "no-such")
	_, err := w.DefineProfile(w.ctx, asAdmin(), "agent", p)
	w.refused(domain.UnknownQueue, err)
	_, err = w.RegisterStaff(w.ctx, asAdmin(), "ann", "Ann", "no-such")
	w.refused(domain.UnknownProfile, err)
}

func TestAStateInMemoryIsWhatTheLogFoldsTo(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	id := w.watched("ann", "sue")
	w.must(w.RequestHelp(w.ctx, asStaff("ann"), id, "please"))
	w.must(w.Join(w.ctx, asStaff("sue"), id))
	fresh := service(t, w.store, false)
	v, err := fresh.Session(w.ctx, id)
	w.ok(err)
	if got, want := show(w.state(id)), show(v.State); got != want {
		t.Errorf("in memory %s\nin the log %s", got, want)
	}
}
