package command_test

import (
	"log/slog"
	"testing"

	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/snapshot"
)

// withSnapshots is a process that keeps its snapshots in a directory.
func (w *world) withSnapshots(store eventstore.Store, dir string) *command.Service {
	w.t.Helper()
	files, err := snapshot.Open(dir)
	w.ok(err)
	s, err := command.New(command.Config{Store: store, Log: slog.New(slog.DiscardHandler), Snapshots: files})
	w.ok(err)
	return s
}

func TestALongStaffStreamGoesOnFromItsSnapshotAndStillKnowsItsRequests(t *testing.T) {
	w := newWorld(t)
	w.onDuty("agent", "ann")
	dir := t.TempDir()
	first := w.withSnapshots(w.store, dir)
	statuses := []staff.Status{staff.OnBreak, staff.Available}
	var last command.Request
	for i := range 300 {
		last = asStaff("ann")
		w.must(first.SetStatus(w.ctx, last, "ann", statuses[i%2], ""))
	}
	w.must(first.Accept(w.ctx, asStaff("ann"), w.waiting()))

	restarted := w.withSnapshots(w.store, dir)
	got, err := restarted.Member(w.ctx, "ann")
	w.ok(err)
	want, err := service(t, w.store, false).Member(w.ctx, "ann")
	w.ok(err)
	if show(got) != show(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if out, err := restarted.SetStatus(w.ctx, last, "ann", staff.OnBreak, ""); err != nil || !out.Replayed {
		t.Errorf("replayed %v, %v", out.Replayed, err)
	}
}

func TestASnapshotOfAnotherLogIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		w := newWorld(t)
		w.onDuty("agent", "ann")
		s := w.withSnapshots(w.store, dir)
		if m, err := s.Member(w.ctx, "ann"); err != nil || m.Revision != 1 || m.State.Status != staff.Available {
			t.Fatalf("in world %d: %+v, %v", i, m, err)
		}
		for j := range 301 {
			w.must(s.SetStatus(w.ctx, asStaff("ann"), "ann", []staff.Status{staff.OnBreak, staff.InMeeting}[j%2], ""))
		}
	}
}
