package directory_test

import (
	"context"
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
	rows, err := readstore.Dump(ctx, db, "dim_profile_queue")
	if diff := cmp.Diff([]string{"profile_id=p|queue_id=a|rank=2|", "profile_id=p|queue_id=z|rank=1|"}, rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
