package staff_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// A model of rule 12: a set of sessions and a limit that moves.
func TestRule12TheLimitHoldsInEveryOrderOfReservationsAndReleases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s staff.State
		for _, e := range onDuty() {
			s = staff.Evolve(s, e)
		}
		limit := rapid.IntRange(0, 4).Draw(t, "limit")
		model := map[domain.SessionID]string{}
		for i := range rapid.IntRange(10, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "new limit") == 0 {
				limit = rapid.IntRange(0, 4).Draw(t, "limit")
			}
			before := len(model)
			s = step(t, s, model, limit, fmt.Sprint("r", i))
			if len(model) > before && len(model) > limit {
				t.Fatalf("%d in use after a reservation under a limit of %d", len(model), limit)
			}
			if idle := s.Idle(limit); idle != max(0, limit-len(model)) || len(s.Slots) != len(model) {
				t.Fatalf("idle %d, slots %v; the model has %v", idle, s.Slots, model)
			}
		}
	})
}

// step gives a random command to the decider and to the model.
func step(t *rapid.T, s staff.State, model map[domain.SessionID]string, limit int, reservation string) staff.State {
	id := domain.SessionID(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "session"))
	purpose := rapid.SampledFrom([]staff.Purpose{staff.ForOffer, staff.ForEngagement, staff.ForMonitoring}).Draw(t, "purpose")
	var c staff.Command = staff.Reserve{SessionID: id, ReservationID: reservation, Purpose: purpose, MaxSessions: limit}
	releases := rapid.Bool().Draw(t, "release")
	if releases {
		c = staff.Release{SessionID: id, ReservationID: rapid.SampledFrom([]string{model[id], "another"}).Draw(t, "reservation")}
	}
	events, err := staff.Decide(s, c)
	_, held := model[id]
	if !releases && !held && (err == nil) != (len(model) < limit) {
		t.Fatalf("%d of %d in use: %v", len(model), limit, err)
	}
	for _, e := range events {
		s = staff.Evolve(s, e)
		switch e := e.(type) {
		case staff.SlotReserved:
			model[e.SessionID] = e.ReservationID
		case staff.SlotReleased:
			delete(model, e.SessionID)
		}
	}
	return s
}
