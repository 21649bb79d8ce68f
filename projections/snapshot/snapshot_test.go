package snapshot_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/snapshot"
)

var (
	t0   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	anna = session.StaffRef{ID: "anna", Name: "Anna"}
	sue  = session.StaffRef{ID: "sue", Name: "Sue"}
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func ms(n domain.Millis) *domain.Millis { return &n }

// site is a log with two queues, an agent and a supervisor of one, and an agent of the other.
func site(t *testing.T) readstore.DB {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	sales := session.QueueRef{ID: "sales", Name: "Sales", ServiceLevelMS: 40_000}
	for _, id := range []domain.QueueID{"sales", "tech"} {
		s := queue.Settings{Name: string(id), ServiceLevelMS: 40_000}
		projectiontest.Append[queue.Event](log, "queue-"+string(id), t0, queue.QueueDefined{QueueID: id, Settings: s})
		p := profile.Settings{Name: string(id), Chat: true, MaxSessions: 3, Queues: []domain.QueueID{id}}
		projectiontest.Append[profile.Event](log, "profile-"+string(id), t0, profile.ProfileDefined{ProfileID: domain.ProfileID(id), Settings: p})
	}
	for id, p := range map[domain.StaffID]domain.ProfileID{"anna": "sales", "sue": "sales", "tom": "tech"} {
		projectiontest.Append[staff.Event](log, "staff-"+string(id), t0,
			staff.StaffRegistered{StaffID: id, Name: "N-" + string(id), ProfileID: p},
			staff.StaffLoggedIn{StaffID: id, ProfileID: p, Status: staff.Available})
	}
	add := func(second int, id string, events ...session.Event) {
		projectiontest.Append(log, "session-"+id, at(second), events...)
	}
	request := func(second int, id string) {
		add(second, id, session.SessionRequested{Queue: sales, Customer: session.Customer{Name: "Carl"}, RequestedAt: at(second)},
			session.SessionQueued{Queue: sales, QueuedAt: at(second)})
	}
	request(10, "served")
	projectiontest.Append[staff.Event](log, "staff-anna", at(20), staff.SlotReserved{StaffID: "anna", SessionID: "served", ReservationID: "r", Purpose: staff.ForEngagement})
	add(20, "served", session.AgentJoined{Agent: anna, JoinedAt: at(20), Queue: sales, WaitedMS: 10_000, First: true})
	add(25, "served", session.PublicMessageSent{Sender: session.Sender{ID: "anna", Role: domain.RoleAgent}, Text: "x"})
	request(30, "waits")
	projectiontest.Append[staff.Event](log, "staff-sue", at(40),
		staff.StaffStatusChanged{StaffID: "sue", Status: staff.InMeeting},
		staff.SlotReserved{StaffID: "sue", SessionID: "served", ReservationID: "r2", Purpose: staff.ForMonitoring})
	add(40, "served", session.HelpRequested{Agent: anna}, session.SupervisorStartedMonitoring{Supervisor: sue, QueueID: "sales", Agent: anna})
	request(50, "left")
	add(55, "left", session.SessionAbandoned{Queue: sales, WaitedMS: 5000})
	projectiontest.Apply(t, db, log, catalogue.All()...)
	return db
}

func TestASnapshotShowsWhatGoesOn(t *testing.T) {
	got, err := snapshot.NewReader(site(t)).Snapshot(context.Background(), []domain.QueueID{"sales"}, at(60))
	if err != nil {
		t.Fatal(err)
	}
	level := 1.0 / 3
	want := &snapshot.Snapshot{
		AsOf: at(60), Position: got.Position,
		Queues: []snapshot.Queue{{
			ID: "sales", Name: "sales", ServiceLevelMS: 40_000, Waiting: 1, OldestWaitMS: ms(30_000), Engaged: 1, Monitored: 1,
			AgentsLoggedIn: 2, AgentsAvailable: 1, IdleSessions: 2, OfferedToday: 3, AnsweredToday: 1, AnsweredInTargetToday: 1,
			AbandonedToday: 1, ServiceLevelToday: &level, Alert: snapshot.Warning,
		}},
		Agents: []snapshot.Agent{
			{ID: "anna", Name: "N-anna", ProfileID: "sales", Status: staff.Available, StatusType: staff.TypeAvailable, TimeInStatusMS: 60_000,
				SessionsInUse: 1, MaxSessions: 3, IdleSessions: 2, OldestSessionMS: ms(40_000), HelpRequested: true},
			{ID: "sue", Name: "N-sue", ProfileID: "sales", Status: staff.InMeeting, StatusType: staff.TypeUnavailable, TimeInStatusMS: 20_000,
				SessionsInUse: 1, MaxSessions: 3, IdleSessions: 2},
		},
		Sessions: []snapshot.Session{
			{ID: "served", QueueID: "sales", QueueName: "Sales", Agent: &anna, Customer: session.Customer{Name: "Carl"}, State: session.Engaged,
				RequestedAt: at(10), TimeInStateMS: 40_000, WaitMS: 10_000, DurationMS: 50_000, LastAgentMessageAgeMS: ms(35_000),
				Messages: 1, HelpRequested: true, MonitoredBy: []snapshot.Watcher{{StaffRef: sue, Since: at(40)}}},
			{ID: "waits", QueueID: "sales", QueueName: "Sales", Customer: session.Customer{Name: "Carl"}, State: session.Queued,
				RequestedAt: at(30), TimeInStateMS: 30_000, WaitMS: 30_000, DurationMS: 30_000},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPastSnapshotShowsWhatWentOn(t *testing.T) {
	got, err := snapshot.NewReader(site(t)).SnapshotAt(context.Background(), []domain.QueueID{"sales"}, at(15))
	if err != nil {
		t.Fatal(err)
	}
	level := 0.0
	want := &snapshot.Snapshot{
		AsOf: at(15), Position: got.Position,
		Queues: []snapshot.Queue{{
			ID: "sales", Name: "sales", ServiceLevelMS: 40_000, Waiting: 1, OldestWaitMS: ms(5000), AgentsLoggedIn: 2, AgentsAvailable: 2,
			IdleSessions: 6, OfferedToday: 1, ServiceLevelToday: &level, Alert: snapshot.OK,
		}},
		Agents: []snapshot.Agent{
			{ID: "anna", Name: "N-anna", ProfileID: "sales", Status: staff.Available, StatusType: staff.TypeAvailable, TimeInStatusMS: 15_000, MaxSessions: 3, IdleSessions: 3},
			{ID: "sue", Name: "N-sue", ProfileID: "sales", Status: staff.Available, StatusType: staff.TypeAvailable, TimeInStatusMS: 15_000, MaxSessions: 3, IdleSessions: 3},
		},
		Sessions: []snapshot.Session{{ID: "served", QueueID: "sales", QueueName: "Sales", Customer: session.Customer{Name: "Carl"}, State: session.Queued,
			RequestedAt: at(10), TimeInStateMS: 5000, WaitMS: 5000, DurationMS: 5000}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	later, err := snapshot.NewReader(site(t)).SnapshotAt(context.Background(), nil, at(52))
	if err != nil {
		t.Fatal(err)
	}
	if len(later.Sessions) != 3 || len(later.Agents) != 3 || later.Queues[0].Monitored != 1 || later.Queues[0].AbandonedToday != 0 ||
		later.Queues[0].AnsweredToday != 1 || later.Sessions[0].Agent == nil {
		t.Errorf("at 52 s: %+v", later)
	}
}

func TestAQueueIsBreachedWhenItsTargetHasGoneBy(t *testing.T) {
	db := site(t)
	for seconds, want := range map[int]snapshot.Alert{59: snapshot.OK, 60: snapshot.Warning, 70: snapshot.Warning, 71: snapshot.Breached} {
		got, err := snapshot.NewReader(db).Snapshot(context.Background(), nil, at(seconds))
		if err != nil {
			t.Fatal(err)
		}
		if got.Queues[0].Alert != want || got.Queues[1].Alert != snapshot.OK {
			t.Errorf("after %d s: %s", seconds, got.Queues[0].Alert)
		}
	}
}

func TestAPastSnapshotIsWhatTheSnapshotWas(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	tech := session.QueueRef{ID: "tech", Name: "tech", ServiceLevelMS: 40_000}
	projectiontest.Append[queue.Event](log, "queue-tech", t0, queue.QueueDefined{QueueID: "tech", Settings: queue.Settings{Name: "tech", ServiceLevelMS: 40_000}})
	projectiontest.Append[profile.Event](log, "profile-p", t0, profile.ProfileDefined{ProfileID: "p", Settings: profile.Settings{
		Name: "p", Chat: true, MaxSessions: 3, Queues: []domain.QueueID{"tech"},
	}})
	projectiontest.Append[staff.Event](log, "staff-anna", t0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"},
		staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available})
	offer := session.SessionOffered{Agent: anna, ReservationID: "r1"}
	events := []session.Event{
		session.SessionRequested{Queue: tech, Customer: session.Customer{Name: "Carl"}, RequestedAt: at(1)},
		session.SessionQueued{Queue: tech, QueuedAt: at(2)},
		offer,
		session.OfferExpired{Agent: anna, ReservationID: "r1", Reason: session.OfferTimedOut},
		offer,
		session.AgentJoined{Agent: anna, JoinedAt: at(6), Queue: tech, WaitedMS: 4000, First: true},
		session.PublicMessageSent{Sender: session.Sender{Role: domain.RoleCustomer, Name: "Carl"}, Text: "x"},
		session.PublicMessageSent{Sender: session.Sender{ID: "anna", Role: domain.RoleAgent}, Text: "x"},
		session.HelpRequested{Agent: anna},
		session.PrivateMessageSent{Sender: session.Sender{ID: "sue", Role: domain.RoleSupervisor}, Text: "x"},
		session.HelpResolved{},
		session.PublicMessageSent{Sender: session.Sender{ID: "sue", Role: domain.RoleSupervisor}, Text: "x"},
		session.HelpRequested{Agent: anna},
		session.SessionTransferred{From: anna, FromQueueID: "tech", ToQueueID: "tech", ToQueueName: "tech"},
		session.SessionQueued{Queue: tech, QueuedAt: at(15)},
		offer,
	}
	reader := snapshot.NewReader(db)
	lived := make([]*snapshot.Snapshot, 0, len(events))
	var position eventstore.Position
	for i, e := range events {
		position = projectiontest.Append(log, "session-s", at(i+1), e)
		projectiontest.Apply(t, db, log, catalogue.All()...)
		s, err := reader.Snapshot(context.Background(), nil, at(i+1).Add(500*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		lived = append(lived, s)
	}
	for i, want := range lived {
		switch events[i].(type) {
		case session.SessionRequested, session.SessionTransferred:
			continue // SessionQueued comes in the same append
		}
		got, err := reader.SnapshotAt(context.Background(), nil, want.AsOf)
		if err != nil {
			t.Fatal(err)
		}
		want.Position = position
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %T:\n%s", events[i], diff)
		}
	}
}

func TestAPastSnapshotHasTheNamesAndLimitsOfItsTime(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	tech := session.QueueRef{ID: "tech", Name: "Tech", ServiceLevelMS: 40_000}
	settings := profile.Settings{Name: "p", Chat: true, MaxSessions: 3, Queues: []domain.QueueID{"tech"}}
	projectiontest.Append[queue.Event](log, "queue-tech", t0, queue.QueueDefined{QueueID: "tech", Settings: queue.Settings{Name: "Tech", ServiceLevelMS: 40_000}})
	projectiontest.Append[profile.Event](log, "profile-p", t0, profile.ProfileDefined{ProfileID: "p", Settings: settings})
	projectiontest.Append[staff.Event](log, "staff-anna", t0, staff.StaffRegistered{StaffID: "anna", Name: "Anna", ProfileID: "p"},
		staff.StaffLoggedIn{StaffID: "anna", ProfileID: "p", Status: staff.Available})
	projectiontest.Append[session.Event](log, "session-s", at(1),
		session.SessionRequested{Queue: tech, Customer: session.Customer{Name: "Carl"}, RequestedAt: at(1)},
		session.SessionQueued{Queue: tech, QueuedAt: at(1)},
		session.AgentJoined{Agent: anna, JoinedAt: at(1), Queue: tech, First: true})
	reader, ctx := snapshot.NewReader(db), context.Background()

	var lived []*snapshot.Snapshot
	look := func(second int) {
		projectiontest.Apply(t, db, log, catalogue.All()...)
		s, err := reader.Snapshot(ctx, nil, at(second))
		if err != nil {
			t.Fatal(err)
		}
		lived = append(lived, s)
	}
	look(5)
	projectiontest.Append[queue.Event](log, "queue-tech", at(10), queue.QueueChanged{QueueID: "tech", Settings: queue.Settings{Name: "Techies", ServiceLevelMS: 9}})
	projectiontest.Append[queue.Event](log, "queue-new", at(10), queue.QueueDefined{QueueID: "new"})
	look(15)
	settings.MaxSessions = 1
	projectiontest.Append[profile.Event](log, "profile-p", at(20), profile.ProfileChanged{ProfileID: "p", Settings: settings})
	look(25)
	projectiontest.Append[staff.Event](log, "staff-anna", at(30), staff.StaffRegistered{StaffID: "anna", Name: "Anna K.", ProfileID: "p"})
	look(35)
	projectiontest.Append[staff.Event](log, "staff-anna", at(40), staff.ProfileAssigned{StaffID: "anna", ProfileID: "unknown"})
	look(45)

	if n := len(lived[4].Agents); n != 0 || lived[0].Queues[0].Name == lived[1].Queues[1].Name || lived[2].Agents[0].MaxSessions != 1 {
		t.Fatalf("nothing changed: %+v", lived)
	}
	for _, want := range lived {
		got, err := reader.SnapshotAt(ctx, nil, want.AsOf)
		if err != nil {
			t.Fatal(err)
		}
		want.Position = got.Position
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %v:\n%s", want.AsOf, diff)
		}
	}
}
