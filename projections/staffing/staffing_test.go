package staffing_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/staffing"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func TestAMemberIsAsTheirStreamSays(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	step := func(second int, e staff.Event) {
		projectiontest.Append(log, "staff-anna", at(second), e)
		projectiontest.Apply(t, db, log, staffing.New()) // each knows nothing but the tables
	}
	step(0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"})
	step(10, staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available})
	step(20, staff.SlotReserved{StaffID: "anna", SessionID: "a", ReservationID: "r1", Purpose: staff.ForOffer})
	step(21, staff.SlotReserved{StaffID: "anna", SessionID: "a", ReservationID: "r1", Purpose: staff.ForEngagement})
	step(22, staff.SlotReserved{StaffID: "anna", SessionID: "b", ReservationID: "r2", Purpose: staff.ForMonitoring})
	step(30, staff.StaffStatusChanged{StaffID: "anna", Status: staff.OnBreak, Reason: "lunch"})
	step(40, staff.ProfileAssigned{StaffID: "anna", ProfileID: "q"})
	step(50, staff.SlotReleased{StaffID: "anna", SessionID: "a", ReservationID: "r1"})

	reader, ctx := staffing.NewReader(db), context.Background()
	want := &staffing.Member{
		ID: "anna", Name: "Anna", ProfileID: "q", LoggedIn: true, Status: staff.OnBreak, StatusSince: at(30), LoggedInAt: at(10),
		RegisteredAt: t0, Revision: 7, Slots: []staffing.Slot{{SessionID: "b", Purpose: staff.ForMonitoring, ReservedAt: at(22)}},
	}
	got, err := reader.Member(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	past, err := reader.OnDutyAt(ctx, at(25))
	if err != nil || len(past) != 1 || past[0].Status != staff.Available || len(past[0].Slots) != 2 ||
		past[0].Slots[0].Purpose != staff.ForEngagement {
		t.Errorf("at 25 s: %+v %v", past, err)
	}

	step(60, staff.StaffLoggedOut{StaffID: "anna"})
	if got, err = reader.Member(ctx, "anna"); err != nil || got.LoggedIn || got.Status != "" || got.StatusSince != at(60) {
		t.Errorf("after the logout: %+v %v", got, err)
	}
	if onDuty, err := reader.OnDuty(ctx); err != nil || len(onDuty) != 0 {
		t.Errorf("on duty: %+v %v", onDuty, err)
	}
	if unknown, err := reader.Member(ctx, "ben"); err != nil || unknown != nil {
		t.Errorf("unknown: %+v %v", unknown, err)
	}
}

func TestStaffIsListedInPages(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	for _, id := range []domain.StaffID{"d", "a", "c", "b", "e"} {
		projectiontest.Append[staff.Event](log, "staff-"+string(id), t0, staff.StaffRegistered{StaffID: id, Name: "N", ProfileID: "p"})
	}
	projectiontest.Apply(t, db, log, staffing.New())
	var ids []domain.StaffID
	for after := domain.StaffID(""); ; {
		page, err := staffing.NewReader(db).Staff(context.Background(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			ids = append(ids, m.ID)
		}
		after = ids[len(ids)-1]
	}
	if diff := cmp.Diff([]domain.StaffID{"a", "b", "c", "d", "e"}, ids); diff != "" {
		t.Error(diff)
	}
}
