package command_test

import (
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// TestANodeNeitherRefusesNorAllowsByWhatItRemembers lets one node change what another has in memory.
func TestANodeNeitherRefusesNorAllowsByWhatItRemembers(t *testing.T) {
	w := newWorld(t)
	one, two := service(t, w.store, true), service(t, w.store, true)
	w.must(one.RegisterStaff(w.ctx, asAdmin(), "ann", "Ann", "agent"))
	w.refused(domain.NotLoggedIn, ignore(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.OnBreak, "")))
	w.must(two.LogIn(w.ctx, asStaff("ann"), "ann", staff.Available))
	w.must(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.OnBreak, "")) // one remembers that ann is not logged in
	w.must(two.LogOut(w.ctx, asStaff("ann"), "ann"))
	w.refused(domain.NotLoggedIn, ignore(one.SetStatus(w.ctx, asStaff("ann"), "ann", staff.Available, ""))) // and now that she is
	request := asStaff("ann")
	request.Hash = "the same body"
	done, err := two.LogIn(w.ctx, request, "ann", staff.InMeeting)
	w.ok(err)
	again, err := one.LogIn(w.ctx, request, "ann", staff.InMeeting) // a repetition that reaches the other node
	w.ok(err)
	if again.Done.Revision != done.Revision || w.types("staff-ann")[len(w.types("staff-ann"))-1] != "StaffLoggedIn" || len(w.types("staff-ann")) != int(done.Revision)+1 {
		t.Errorf("the repetition stands at %d, the first at %d, of %v", again.Done.Revision, done.Revision, w.types("staff-ann"))
	}
}
