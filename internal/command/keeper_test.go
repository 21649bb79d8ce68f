package command_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/slots"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

// keep does by hand what the process that keeps the slots does: it follows the log from its start, carries out what the keeper
// demands, and comes back when everything is overdue, until nothing is left to do.
func (w *world) keep(s *command.Service) {
	w.t.Helper()
	state, read := slots.NewState(), 0
	at, alive := noon.Add(time.Hour), noon.Add(time.Hour)
	for round := range 20 {
		var commands []slots.Command
		all := w.log()
		for _, e := range all[read:] {
			f := slots.Fact{SessionID: e.SessionID(), At: at, Event: e.Event}
			commands = append(commands, slots.React(state, f)...)
			slots.Evolve(state, f)
		}
		read = len(all)
		at = at.Add(time.Hour)
		if len(commands) == 0 {
			commands = state.Due(at, alive)
		}
		if len(commands) == 0 {
			return
		}
		for i, c := range commands {
			w.carryOut(s, c, round*1000+i)
		}
	}
	w.t.Errorf("the keeper never comes to rest: %+v", state.Due(at, alive))
}

func (w *world) carryOut(s *command.Service, c slots.Command, n int) {
	w.t.Helper()
	r := asSystem()
	r.ID, r.Hash = uuid.NewSHA1(r.ID, []byte{byte(n)}), ""
	var err error
	switch c := c.(type) {
	case slots.Recheck:
		err = s.Recheck(w.ctx, r, c.SessionID, c.StaffID)
	case slots.Return:
		err = s.Release(w.ctx, r, c.StaffID, c.SessionID, c.ReservationID)
	case slots.Compare:
		err = s.Settle(w.ctx, r, c.SessionID, c.StaffID)
	}
	if err != nil {
		w.t.Errorf("%+v: %v", c, err)
	}
}

// sound demands of the log that every slot that is held is claimed by its session and every claim has its slot.
func (w *world) sound() {
	w.t.Helper()
	members, sessions := map[domain.StaffID]staff.State{}, map[domain.SessionID]session.State{}
	for _, e := range w.log() {
		switch event := e.Event.(type) {
		case staff.Event:
			id := domain.StaffID(e.Stream[len(eventcodec.StaffPrefix):])
			members[id] = staff.Evolve(members[id], event)
		case session.Event:
			sessions[e.SessionID()] = session.Evolve(sessions[e.SessionID()], event)
		}
	}
	for id, m := range members {
		held, claimed := map[domain.SessionID]staff.Slot{}, map[domain.SessionID]staff.Slot{}
		for _, slot := range m.Slots {
			held[slot.SessionID] = slot
		}
		for sid, s := range sessions {
			if claim, ok := slots.Claim(s, id); ok {
				claimed[sid] = claim
			}
		}
		if !reflect.DeepEqual(held, claimed) {
			w.t.Errorf("%s holds %v, the sessions claim %v", id, held, claimed)
		}
	}
}

func TestTheKeeperLeavesAWorldThatIsInStepAlone(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	w.onDuty("lead", "sue")
	w.watched("ann", "sue")
	before := len(w.log())
	w.keep(service(t, w.store, false))
	w.sound()
	if after := len(w.log()); after != before {
		t.Errorf("the keeper appended %d events", after-before)
	}
}
