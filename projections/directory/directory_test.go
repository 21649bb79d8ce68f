package directory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestTheDirectoryShowsTheLastSettings(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	first := queue.Settings{Name: "Sales", ServiceLevelMS: 1, ShortAbandonMS: 2, AgentPrivateReply: queue.Always, OfferTimeoutMS: 3, WrapUpMS: 4}
	last := first
	last.AnnounceSupervisorJoin, last.Name = true, "Sales & more"
	settings := profile.Settings{
		Name: "P", Chat: true, Supervisor: true, Monitor: true, MaxSessions: 5, Queues: []domain.QueueID{"z", "a"},
		PullPolicy: profile.StrictPriority, AllowDecline: true, ReceiveOffers: true,
	}
	later := t0.Add(time.Hour)
	projectiontest.Append[queue.Event](log, "queue-sales", t0, queue.QueueDefined{QueueID: "sales", Settings: first})
	projectiontest.Append[profile.Event](log, "profile-p", t0, profile.ProfileDefined{ProfileID: "p", Settings: profile.Settings{Name: "old"}})
	projectiontest.Apply(t, db, log, directory.New())
	projectiontest.Append[queue.Event](log, "queue-sales", later, queue.QueueChanged{QueueID: "sales", Settings: last})
	projectiontest.Append[profile.Event](log, "profile-p", later, profile.ProfileChanged{ProfileID: "p", Settings: settings})
	projectiontest.Apply(t, db, log, directory.New())

	reader, ctx := directory.NewReader(db), context.Background()
	queues, err := reader.Queues(ctx, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]directory.Queue{{ID: "sales", Settings: last, DefinedAt: t0, ValidFrom: later, Revision: 1}}, queues); diff != "" {
		t.Error(diff)
	}
	profiles, err := reader.Profiles(ctx, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]directory.Profile{{ID: "p", Settings: settings, DefinedAt: t0, ValidFrom: later, Revision: 1}}, profiles); diff != "" {
		t.Error(diff)
	}
	if more, err := reader.Queues(ctx, "sales", 10); err != nil || len(more) != 0 {
		t.Errorf("after the last: %v %v", more, err)
	}
	rows, err := db.Query(ctx, "SELECT queue_id, rank FROM dim_profile_queue WHERE is_current AND profile_id = 'p' ORDER BY rank")
	served, err := readstore.Collect(rows, err, func(rows readstore.Rows) (line string, err error) {
		var id string
		var rank int
		err = rows.Scan(&id, &rank)
		return fmt.Sprintf("%d %s", rank, id), err
	})
	if diff := cmp.Diff([]string{"1 z", "2 a"}, served); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestTheDirectoryRemembersEveryVersion(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	hour := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Hour) }
	reader, ctx := directory.NewReader(db), context.Background()
	named := func(n int, name string) {
		if n == 0 {
			projectiontest.Append[queue.Event](log, "queue-q", hour(n), queue.QueueDefined{QueueID: "q", Settings: queue.Settings{Name: name}})
			projectiontest.Append[profile.Event](log, "profile-p", hour(n), profile.ProfileDefined{ProfileID: "p", Settings: profile.Settings{Name: name}})
			return
		}
		projectiontest.Append[queue.Event](log, "queue-q", hour(n), queue.QueueChanged{QueueID: "q", Settings: queue.Settings{Name: name}})
		projectiontest.Append[profile.Event](log, "profile-p", hour(n), profile.ProfileChanged{ProfileID: "p", Settings: profile.Settings{Name: name}})
	}
	named(0, "first")
	projectiontest.Apply(t, db, log, directory.New())
	named(2, "second")
	named(4, "third") // two in a batch
	projectiontest.Apply(t, db, log, directory.New())
	named(3, "fourth") // by a clock that is behind
	projectiontest.Apply(t, db, log, directory.New())

	for n, want := range map[int]string{0: "first", 1: "first", 2: "second", 3: "second", 4: "fourth", 9: "fourth"} {
		queues, err := reader.AllQueuesAt(ctx, hour(n))
		if err != nil || len(queues) != 1 || queues[0].Name != want || queues[0].DefinedAt != t0 {
			t.Errorf("after %d h the queue is %+v, want %s (%v)", n, queues, want, err)
		}
		profiles, err := reader.AllProfilesAt(ctx, hour(n))
		if err != nil || len(profiles) != 1 || profiles[0].Name != want || profiles[0].DefinedAt != t0 {
			t.Errorf("after %d h the profile is %+v, want %s (%v)", n, profiles, want, err)
		}
	}
	if before, err := reader.AllQueuesAt(ctx, hour(-1)); err != nil || len(before) != 0 {
		t.Errorf("before the first: %+v %v", before, err)
	}
	if now, err := reader.AllProfiles(ctx); err != nil || len(now) != 1 || now[0].Name != "fourth" || now[0].Revision != 3 {
		t.Errorf("now: %+v %v", now, err)
	}
}

func TestThePresentIsReadByItsIndex(t *testing.T) {
	db := &projectiontest.Recorder{DB: projectiontest.Open(t)}
	reader, ctx := directory.NewReader(db), context.Background()
	_, err1 := reader.Queues(ctx, "a", 10)
	_, err2 := reader.AllQueues(ctx)
	_, err3 := reader.Profiles(ctx, "a", 10)
	_, err4 := reader.AllProfiles(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	for i, q := range db.Queries {
		projectiontest.Searched(t, db.DB, []string{"USING INDEX " + []string{"dim_queue_current", "dim_profile_current"}[i/2]}, q.Query, q.Args...)
	}
}
