package staffing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/readstore"
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

// table reads some columns, a line a row.
func table(t *testing.T, db readstore.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintln(values...)))
	}
	return lines
}

func expect(t *testing.T, db readstore.DB, query string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, table(t, db, query)); diff != "" {
		t.Errorf("%s:\n%s", query, diff)
	}
}

func TestTimeIsBookedToTheQuarterInWhichItPassed(t *testing.T) {
	one, steps := projectiontest.Open(t), projectiontest.Open(t)
	log := &projectiontest.Log{}
	step := func(second int, e staff.Event) {
		projectiontest.Append(log, "staff-anna", at(second), e)
		projectiontest.Apply(t, steps, log, staffing.New()) // each knows nothing but the tables
	}
	step(0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"})
	step(600, staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available})
	step(800, staff.SlotReserved{StaffID: "anna", SessionID: "a", ReservationID: "r1", Purpose: staff.ForOffer}) // is no session yet
	step(840, staff.SlotReserved{StaffID: "anna", SessionID: "a", ReservationID: "r1", Purpose: staff.ForEngagement})
	step(960, staff.SlotReserved{StaffID: "anna", SessionID: "b", ReservationID: "r2", Purpose: staff.ForEngagement})
	step(1080, staff.SlotReserved{StaffID: "anna", SessionID: "c", ReservationID: "r3", Purpose: staff.ForMonitoring})
	step(1200, staff.SlotReleased{StaffID: "anna", SessionID: "a", ReservationID: "r1"})
	step(1500, staff.StaffStatusChanged{StaffID: "anna", Status: staff.OnBreak})
	step(1560, staff.SlotReleased{StaffID: "anna", SessionID: "b", ReservationID: "r2"})
	step(1620, staff.SlotReleased{StaffID: "anna", SessionID: "c", ReservationID: "r3"})
	step(1860, staff.StaffLoggedOut{StaffID: "anna"})
	step(9000, staff.ProfileAssigned{StaffID: "anna", ProfileID: "q"})
	projectiontest.Apply(t, one, log, staffing.New())
	projectiontest.Equal(t, projectiontest.Dump(t, one, staffing.New()), projectiontest.Dump(t, steps, staffing.New()))

	expect(t, one, "SELECT bucket_at / 60000000 % 60, logged_in_ms, available_ms, busy_ms, session_ms, idle_ms, monitoring_ms FROM agent_time_15m ORDER BY bucket_at",
		"0 300000 300000 60000 60000 240000 0",
		"15 900000 600000 660000 900000 0 540000",
		"30 60000 0 0 0 0 0")
	expect(t, one, "SELECT sum(busy_ms) * 1.0 / (sum(busy_ms) + sum(idle_ms)), sum(session_ms) * 3 / sum(busy_ms) FROM agent_time_15m",
		"0.75 4") // occupancy, and concurrency in thirds
	expect(t, one, "SELECT status, status_ms, span FROM fact_staff_status ORDER BY status_key", "available 900000 2", "on_break 360000 2")
	expect(t, one, "SELECT session_id, purpose, held_ms, span FROM fact_slot ORDER BY slot_key",
		"a offer 40000 0", "a engagement 360000 2", "b engagement 600000 2", "c monitoring 540000 2")
}

func TestTimeIsNotBookedTwiceByAClockThatIsBehind(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	for _, e := range []struct {
		second int
		event  staff.Event
	}{
		{0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"}},
		{10, staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available}},
		{20, staff.StaffStatusChanged{StaffID: "anna", Status: staff.OnBreak}},
		{15, staff.StaffStatusChanged{StaffID: "anna", Status: staff.Available}},
		{30, staff.StaffLoggedOut{StaffID: "anna"}},
		{40_000_000, staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available}},
		{8_000_000_000, staff.StaffLoggedOut{StaffID: "anna"}}, // by a clock that is wrong altogether
	} {
		projectiontest.Append(log, "staff-anna", at(e.second), e.event)
	}
	projectiontest.Apply(t, db, log, staffing.New())
	expect(t, db, "SELECT logged_in_ms, available_ms, idle_ms FROM agent_time_15m ORDER BY bucket_at LIMIT 1", "20000 20000 20000")
	expect(t, db, "SELECT sum(logged_in_ms) / 86400000 FROM agent_time_15m", "366")
}

func TestAMemberIsNamedAsTheyWere(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	step := func(second int, e staff.Event) {
		projectiontest.Append(log, "staff-anna", at(second), e)
		projectiontest.Apply(t, db, log, staffing.New())
	}
	step(0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"})
	step(10, staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available})
	step(20, staff.ProfileAssigned{StaffID: "anna", ProfileID: "q"})
	step(30, staff.StaffRegistered{StaffID: "anna", Name: "Anna K.", ProfileID: "q"})
	expect(t, db, "SELECT revision, name, profile_id, is_current, (valid_to - valid_from) / 1000000 FROM dim_staff ORDER BY revision",
		"0 Anna p 0 20", "2 Anna q 0 10", "3 Anna K. q 1 <nil>")
	for second, want := range map[int]string{10: "Anna p", 19: "Anna p", 20: "Anna q", 29: "Anna q", 30: "Anna K. q"} {
		past, err := staffing.NewReader(db).OnDutyAt(context.Background(), at(second))
		if err != nil || len(past) != 1 || past[0].Name+" "+string(past[0].ProfileID) != want || past[0].Since != at(10) {
			t.Errorf("at %d s: %+v, want %s (%v)", second, past, want, err)
		}
	}
}

func TestDutyIsReadByItsIndexes(t *testing.T) {
	db := &projectiontest.Recorder{DB: projectiontest.Open(t)}
	if _, err := staffing.NewReader(db).OnDutyAt(context.Background(), t0); err != nil {
		t.Fatal(err)
	}
	if _, err := staffing.NewReader(db).OnDuty(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, steps := range [][]string{
		{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_staff_status_span (span=? AND started_at>? AND started_at<?)", "SEARCH d USING PRIMARY KEY (staff_id=?)"},
		{"USING INTEGER PRIMARY KEY (rowid=?)", "USING INDEX fact_slot_span (span=? AND reserved_at>? AND reserved_at<?)"},
		{"USING INDEX staff_duty_logged_in"},
	} {
		projectiontest.Searched(t, db.DB, steps, db.Queries[i].Query, db.Queries[i].Args...)
	}
}
