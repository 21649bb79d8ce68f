package process_test

import (
	"sync"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/staff"
)

func TestNoWatchOutlivesALogoutThatCameWithIt(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("agents", false, "support")
	s.profile("supervisors", true, "support")
	s.member("ada", "agents", staff.Unavailable)
	s.member("sam", "supervisors", staff.InMeeting)
	s.start()
	id := s.request("support")
	if _, err := s.service.Accept(t.Context(), as(domain.RoleStaff, "ada"), id); err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		var together sync.WaitGroup
		for range 3 {
			together.Go(func() { _, _ = s.service.Monitor(t.Context(), as(domain.RoleStaff, "sam"), id, "") })
		}
		together.Go(func() { _, _ = s.service.LogOut(t.Context(), as(domain.RoleStaff, "sam"), "sam") })
		together.Wait()
		s.eventuallyFree(id, "sam")
		if _, err := s.service.LogIn(t.Context(), as(domain.RoleStaff, "sam"), "sam", staff.InMeeting); err != nil {
			t.Fatal(err)
		}
	}
}

// eventuallyFree waits until a supervisor who has logged out watches nothing and holds no slot.
func (s *site) eventuallyFree(id domain.SessionID, who domain.StaffID) {
	s.t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for patience := time.After(10 * time.Second); ; {
		now, err := s.service.Session(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		member, err := s.service.Member(s.t.Context(), who)
		if err != nil {
			s.t.Fatal(err)
		}
		_, watching := now.State.Watcher(who)
		if member.State.LoggedIn || !watching && len(member.State.Slots) == 0 {
			return
		}
		select {
		case <-again.C:
		case <-patience:
			s.t.Fatalf("logged out, watching: %v, slots: %v", watching, member.State.Slots)
		}
	}
}
