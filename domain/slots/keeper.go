package slots

import (
	"cmp"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// Fact is an event of the log as the keeper needs it. SessionID is set for session events.
type Fact struct {
	SessionID domain.SessionID
	At        time.Time
	Event     any
}

// Holding is what the log shows of a staff member in a session: the slot that their own stream holds for it, and the slot
// that the session's events claim. The two come from different streams, in whatever order the flows wrote them.
type Holding struct {
	StaffID   domain.StaffID
	SessionID domain.SessionID
	Held      staff.Slot // zero when none is
	Claim     staff.Slot // zero when none is
	// Over: the session has ended what the slot is held for.
	Over  bool
	Since time.Time // of the last change
}

type place struct {
	staff   domain.StaffID
	session domain.SessionID
}

// State of the keeper: the slots held at this place of the log, and whose profile is which. Its size follows what is in use,
// not what has been. It belongs to one process and is changed in place.
type State struct {
	holdings  map[place]Holding
	bySession map[domain.SessionID]map[domain.StaffID]struct{}
	byStaff   map[domain.StaffID]map[domain.SessionID]struct{}
	profiles  map[domain.StaffID]domain.ProfileID
}

// Command of the keeper.
type Command interface{ keeperCommand() }

// Recheck asks whether a staff member still has ground for what they are in a session (rule 11).
type Recheck struct {
	SessionID domain.SessionID
	StaffID   domain.StaffID
}

// Return gives back the slot of a reservation that is over.
type Return struct {
	SessionID     domain.SessionID
	StaffID       domain.StaffID
	ReservationID string
}

// Compare brings a staff member's slot in line with the session.
type Compare struct {
	SessionID domain.SessionID
	StaffID   domain.StaffID
}

func (Recheck) keeperCommand() {}
func (Return) keeperCommand()  {}
func (Compare) keeperCommand() {}

// NewState is the state at the start of the log.
func NewState() *State {
	return &State{
		holdings:  map[place]Holding{},
		bySession: map[domain.SessionID]map[domain.StaffID]struct{}{},
		byStaff:   map[domain.StaffID]map[domain.SessionID]struct{}{},
		profiles:  map[domain.StaffID]domain.ProfileID{},
	}
}

// React says what a fact demands, on the state before it.
func React(s *State, f Fact) []Command {
	switch e := f.Event.(type) {
	case session.SupervisorStartedMonitoring:
		// The watcher's account is looked at again, now that the monitoring stands in the log: a change of the profile is
		// either before it, and seen now, or after it, and finds the slot.
		return []Command{Recheck{f.SessionID, e.Supervisor.ID}}
	case session.SessionOffered:
		// Likewise: the agent may have logged out between the reservation and the offer.
		return []Command{Recheck{f.SessionID, e.Agent.ID}}
	case session.SessionTransferred, session.SessionQueued:
		return s.recheckSession(f.SessionID)
	case staff.StaffLoggedOut:
		return s.recheckStaff(e.StaffID)
	case staff.ProfileAssigned:
		return s.recheckStaff(e.StaffID)
	case staff.StaffRegistered:
		return s.recheckStaff(e.StaffID)
	case profile.ProfileChanged:
		var commands []Command
		for _, id := range sorted(s.byStaff) {
			if s.profiles[id] == e.ProfileID {
				commands = append(commands, s.recheckStaff(id)...)
			}
		}
		return commands
	}
	return nil
}

func (s *State) recheckSession(id domain.SessionID) []Command {
	var commands []Command
	for _, who := range sorted(s.bySession[id]) {
		h := s.holdings[place{who, id}]
		if h.Held.Purpose == staff.ForMonitoring || h.Claim.Purpose == staff.ForMonitoring {
			commands = append(commands, Recheck{id, who})
		}
	}
	return commands
}

func (s *State) recheckStaff(id domain.StaffID) []Command {
	var commands []Command
	for _, where := range sorted(s.byStaff[id]) {
		if s.holdings[place{id, where}].Claim.Purpose != staff.ForEngagement {
			commands = append(commands, Recheck{where, id})
		}
	}
	return commands
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Evolve takes a fact into the state.
func Evolve(s *State, f Fact) {
	switch e := f.Event.(type) {
	case staff.StaffRegistered:
		s.profiles[e.StaffID] = e.ProfileID
	case staff.ProfileAssigned:
		s.profiles[e.StaffID] = e.ProfileID
	case staff.SlotReserved:
		s.change(place{e.StaffID, e.SessionID}, f.At, func(h *Holding) {
			h.Held = staff.Slot{SessionID: e.SessionID, ReservationID: e.ReservationID, Purpose: e.Purpose}
			h.Over = false
		})
	case staff.SlotReleased:
		s.change(place{e.StaffID, e.SessionID}, f.At, func(h *Holding) { h.Held, h.Over = staff.Slot{}, false })
	case session.Event:
		s.evolveSession(f, e)
	}
}

func (s *State) evolveSession(f Fact, e session.Event) {
	if begun, ok := BegunBy(f.SessionID, e); ok {
		s.change(place{begun.StaffID, f.SessionID}, f.At, func(h *Holding) { h.Claim = begun.Slot })
	}
	if ended, ok := EndedBy(e); ok {
		s.change(place{ended.StaffID, f.SessionID}, f.At, func(h *Holding) {
			h.Over = h.Over || h.Held.ReservationID == ended.ReservationID
			if h.Claim.ReservationID == ended.ReservationID {
				h.Claim = staff.Slot{}
			}
		})
	}
}

// change applies a change to what is known at a place, and forgets the place when nothing is left there.
func (s *State) change(p place, at time.Time, apply func(*Holding)) {
	h, ok := s.holdings[p]
	if !ok {
		h = Holding{StaffID: p.staff, SessionID: p.session}
	}
	apply(&h)
	h.Since = at
	if h.Held == (staff.Slot{}) && h.Claim == (staff.Slot{}) {
		delete(s.holdings, p)
		remove(s.bySession, p.session, p.staff)
		remove(s.byStaff, p.staff, p.session)
		return
	}
	s.hold(h)
}

func (s *State) hold(h Holding) {
	p := place{h.StaffID, h.SessionID}
	s.holdings[p] = h
	add(s.bySession, p.session, p.staff)
	add(s.byStaff, p.staff, p.session)
}

func add[K, V comparable](m map[K]map[V]struct{}, k K, v V) {
	if m[k] == nil {
		m[k] = map[V]struct{}{}
	}
	m[k][v] = struct{}{}
}

func remove[K, V comparable](m map[K]map[V]struct{}, k K, v V) {
	delete(m[k], v)
	if len(m[k]) == 0 {
		delete(m, k)
	}
}

// Grace is how long a flow may take between the staff stream and the session stream before its reservation is looked at.
// A flow that comes later yet is put right again: its watch is found without a slot, its engagement gets one.
const Grace = 15 * time.Second

// Due returns what is overdue at a time, when the log has been read to its end. What was reserved before alive is overdue
// at once: the process that reserved it, the only one that could finish it, is gone. With several processes alive is zero.
func (s *State) Due(now, alive time.Time) []Command {
	var commands []Command
	for p, h := range s.holdings {
		late := now.Sub(h.Since) >= Grace || h.Since.Before(alive)
		switch {
		case h.Held == h.Claim:
		case h.Over && h.Claim == (staff.Slot{}):
			if late || now.Sub(h.Since) >= time.Second {
				commands = append(commands, Return{p.session, p.staff, h.Held.ReservationID})
			}
		case !late:
		case h.Held == (staff.Slot{}) && h.Claim.Purpose == staff.ForMonitoring:
			commands = append(commands, Recheck{p.session, p.staff})
		default:
			commands = append(commands, Compare{p.session, p.staff})
		}
	}
	return commands
}
