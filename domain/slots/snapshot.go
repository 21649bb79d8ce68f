package slots

import "github.com/chatwatch/chatwatch/domain"

// Snapshot is a State in a form that can be stored.
type Snapshot struct {
	Holdings []Holding                           `json:"holdings"`
	Profiles map[domain.StaffID]domain.ProfileID `json:"profiles"`
}

// Snapshot returns the state in a form that can be stored. It shares the profiles with the state.
func (s *State) Snapshot() Snapshot {
	held := make([]Holding, 0, len(s.holdings))
	for _, h := range s.holdings {
		held = append(held, h)
	}
	return Snapshot{Holdings: held, Profiles: s.profiles}
}

// Restore makes the state of a snapshot.
func Restore(snapshot Snapshot) *State {
	s := NewState()
	for _, h := range snapshot.Holdings {
		s.hold(h)
	}
	if snapshot.Profiles != nil {
		s.profiles = snapshot.Profiles
	}
	return s
}
