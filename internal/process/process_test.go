package process_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
	"github.com/chatwatch/chatwatch/internal/process"
	"github.com/chatwatch/chatwatch/internal/snapshot"
)

// site is a store with commands over it, and processes that are started when a test says so.
type site struct {
	t       *testing.T
	dir     string
	store   eventstore.Store
	service *command.Service
	stop    func()
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	store := teststore.Open(t)
	service, err := command.New(command.Config{Store: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, store: store, service: service, stop: func() {}}
	t.Cleanup(func() { s.stop() })
	return s
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// start runs the processes until stop or the end of the test.
func (s *site) start() {
	s.t.Helper()
	snapshots, err := snapshot.Open(filepath.Join(s.dir, "snapshots"))
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	runner := &process.Runner{Store: s.store, Snapshots: snapshots, Log: log, Now: now}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- runner.Run(ctx, process.NewRouting(s.service, log, now), process.NewSlots(s.service, log, now, now()))
	}()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			s.t.Error(err)
		}
		s.stop = func() {}
	}
}

func as(role domain.Role, id string) command.Request {
	return command.Request{ID: uuid.New(), Actor: domain.Actor{ID: id, Role: role}, At: now()}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *site) queue(id domain.QueueID, offerTimeout domain.Millis) {
	s.t.Helper()
	must[command.QueueOutcome](s.t)(s.service.DefineQueue(s.t.Context(), as(domain.RoleAdmin, "root"), id, queue.Settings{
		Name: string(id), AgentPrivateReply: queue.AfterJoin, OfferTimeoutMS: offerTimeout,
	}))
}

func (s *site) profile(id domain.ProfileID, supervisor bool, queues ...domain.QueueID) {
	s.t.Helper()
	must[command.ProfileOutcome](s.t)(s.service.DefineProfile(s.t.Context(), as(domain.RoleAdmin, "root"), id, profile.Settings{
		Name: string(id), Chat: true, Supervisor: supervisor, Monitor: supervisor, MaxSessions: 3, Queues: queues,
		PullPolicy: profile.FirstDue, ReceiveOffers: !supervisor,
	}))
}

func (s *site) member(id domain.StaffID, of domain.ProfileID, status staff.Status) {
	s.t.Helper()
	must[command.StaffOutcome](s.t)(s.service.RegisterStaff(s.t.Context(), as(domain.RoleAdmin, "root"), id, string(id), of))
	must[command.StaffOutcome](s.t)(s.service.LogIn(s.t.Context(), as(domain.RoleStaff, string(id)), id, status))
}

func (s *site) request(q domain.QueueID) domain.SessionID {
	s.t.Helper()
	id, _, err := s.service.RequestSession(s.t.Context(), as(domain.RoleCustomer, ""), command.ChatRequest{
		QueueID: q, Customer: session.Customer{Name: "Kim"}, Question: "Where?",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// engaged is a session with an agent, watched by a supervisor.
func (s *site) watched(agent, supervisor domain.StaffID, q domain.QueueID) domain.SessionID {
	s.t.Helper()
	id := s.request(q)
	must[command.SessionOutcome](s.t)(s.service.Accept(s.t.Context(), as(domain.RoleStaff, string(agent)), id))
	must[command.SessionOutcome](s.t)(s.service.Monitor(s.t.Context(), as(domain.RoleStaff, string(supervisor)), id, ""))
	return id
}

// await waits until an event for which the test holds stands in the log, and returns it.
func await[E any](s *site, holds func(eventcodec.Envelope, E) bool) E {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	log, err := s.store.Subscribe(ctx, eventstore.Start, eventstore.Filter{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	for {
		batch, err := log.Next(ctx)
		if err != nil {
			s.t.Fatalf("waiting for %T: %v", *new(E), err)
		}
		for _, r := range batch.Events {
			envelope, err := eventcodec.Decode(r)
			if err != nil {
				s.t.Fatal(err)
			}
			if e, ok := envelope.Event.(E); ok && holds(envelope, e) {
				return e
			}
		}
	}
}

func TestAWaitingSessionIsOfferedToAnAvailableAgent(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("agents", false, "support")
	s.member("away", "agents", staff.OnBreak)
	s.member("ada", "agents", staff.Available)
	s.start()
	id := s.request("support")
	offered := await(s, func(e eventcodec.Envelope, _ session.SessionOffered) bool { return e.SessionID() == id })
	if offered.Agent.ID != "ada" {
		t.Errorf("offered to %s, want ada", offered.Agent.ID)
	}
	member := must[command.View[staff.State]](t)(s.service.Member(t.Context(), "ada"))
	if slot, ok := member.State.Slot(id); !ok || slot.Purpose != staff.ForOffer {
		t.Errorf("the offer holds no slot: %+v", member.State.Slots)
	}
}

func TestAnOfferThatIsNotAnsweredExpiresAndGoesToTheNext(t *testing.T) {
	s := newSite(t)
	s.queue("support", 50)
	s.profile("agents", false, "support")
	s.member("ada", "agents", staff.Available)
	s.member("bob", "agents", staff.Available)
	s.start()
	id := s.request("support")
	expired := await(s, func(e eventcodec.Envelope, _ session.OfferExpired) bool { return e.SessionID() == id })
	if expired.Reason != session.OfferTimedOut {
		t.Errorf("expired for %q", expired.Reason)
	}
	await(s, func(e eventcodec.Envelope, o session.SessionOffered) bool {
		return e.SessionID() == id && o.Agent.ID != expired.Agent.ID
	})
	await(s, func(_ eventcodec.Envelope, r staff.SlotReleased) bool {
		return r.StaffID == expired.Agent.ID && r.SessionID == id
	})
}

func TestAReservationWhoseSessionEventNeverCameIsReleased(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("supervisors", true, "support")
	s.member("sam", "supervisors", staff.InMeeting)
	id := s.request("support")
	leftBehind := must[eventstore.Event](t)(eventcodec.Encode(uuid.New(), staff.SlotReserved{
		StaffID: "sam", SessionID: id, ReservationID: "r1", Purpose: staff.ForMonitoring,
	}, eventcodec.Metadata{OccurredAt: now().Add(-time.Second)}))
	if _, err := s.store.Append(t.Context(), "staff-sam", eventstore.Exactly(1), []eventstore.Event{leftBehind}); err != nil {
		t.Fatal(err)
	}
	s.service = must[*command.Service](t)(command.New(command.Config{Store: s.store, Log: slog.New(slog.DiscardHandler)}))
	s.start()
	released := await(s, func(_ eventcodec.Envelope, r staff.SlotReleased) bool { return r.StaffID == "sam" })
	if released.ReservationID != "r1" {
		t.Errorf("released %s", released.ReservationID)
	}
}

func TestAMonitoringEndsWhenTheProfileLosesThePermission(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("agents", false, "support")
	s.profile("supervisors", true, "support")
	s.member("ada", "agents", staff.Unavailable)
	s.member("sam", "supervisors", staff.InMeeting)
	s.start()
	id := s.watched("ada", "sam", "support")
	s.profile("supervisors", false, "support")
	stopped := await(s, func(e eventcodec.Envelope, _ session.SupervisorStoppedMonitoring) bool { return e.SessionID() == id })
	if stopped.Reason != session.MonitorNotPermitted {
		t.Errorf("stopped for %q", stopped.Reason)
	}
	await(s, func(_ eventcodec.Envelope, r staff.SlotReleased) bool { return r.StaffID == "sam" && r.SessionID == id })
}

func TestASlotWhoseSessionEndedIsReleasedFromTheLogAlone(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("agents", false, "support")
	s.profile("supervisors", true, "support")
	s.member("ada", "agents", staff.Unavailable)
	s.member("sam", "supervisors", staff.InMeeting)
	id := s.watched("ada", "sam", "support")
	// The process died after the end of the watch stood in the log, and before the slot was released.
	state := must[command.View[session.State]](t)(s.service.Session(t.Context(), id))
	w, _ := state.State.Watcher("sam")
	end := must[eventstore.Event](t)(eventcodec.Encode(uuid.New(), session.SupervisorStoppedMonitoring{
		Supervisor: w.StaffRef, ReservationID: w.ReservationID, Reason: session.LeftByThemselves,
	}, eventcodec.Metadata{OccurredAt: now()}))
	if _, err := s.store.Append(t.Context(), "session-"+string(id), eventstore.Exactly(uint64(state.Revision)), []eventstore.Event{end}); err != nil {
		t.Fatal(err)
	}
	s.start()
	await(s, func(_ eventcodec.Envelope, r staff.SlotReleased) bool {
		return r.StaffID == "sam" && r.SessionID == id && r.ReservationID == w.ReservationID
	})
}

func TestAProcessGoesOnFromItsSnapshotAndOffersNothingTwice(t *testing.T) {
	s := newSite(t)
	s.queue("support", 60_000)
	s.profile("agents", false, "support")
	s.member("ada", "agents", staff.Available)
	s.start()
	first := s.request("support")
	await(s, func(e eventcodec.Envelope, _ session.SessionOffered) bool { return e.SessionID() == first })
	s.stop()
	second := s.request("support")
	s.start()
	await(s, func(e eventcodec.Envelope, _ session.SessionOffered) bool { return e.SessionID() == second })
	s.stop()
	offers := map[domain.SessionID]int{}
	for r, err := range s.store.ReadAll(t.Context(), eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{Types: []string{"SessionOffered"}}) {
		if err != nil {
			t.Fatal(err)
		}
		offers[must[eventcodec.Envelope](t)(eventcodec.Decode(r)).SessionID()]++
	}
	if offers[first] != 1 || offers[second] != 1 {
		t.Errorf("offers: %v", offers)
	}
}

// Rule 4: who reads is as silent as who watches, so nothing stirs for it.
func TestNoProcessWakesUpForAReading(t *testing.T) {
	for _, p := range []process.Process{process.NewRouting(nil, nil, now), process.NewSlots(nil, nil, now, now())} {
		for _, name := range eventcodec.Names(eventcodec.AccessPrefix) {
			if p.Filter().Matches(eventcodec.AccessPrefix+"iris", name) {
				t.Errorf("%s follows %s", p.Name(), name)
			}
		}
	}
}
