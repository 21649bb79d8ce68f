// Package directory answers which queues and profiles there are and what they are set to. It keeps them as they are now,
// with the time from which that holds; what they were is in the log.
package directory

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// Name of the projection's checkpoint.
const Name = "directory"

type queueRow struct {
	QueueID                domain.QueueID     `db:"queue_id,key"`
	Name                   string             `db:"name"`
	ServiceLevelMS         domain.Millis      `db:"service_level_ms"`
	ShortAbandonMS         domain.Millis      `db:"short_abandon_ms"`
	AnnounceSupervisorJoin bool               `db:"announce_supervisor_join"`
	AgentPrivateReply      queue.PrivateReply `db:"agent_private_reply"`
	OfferTimeoutMS         domain.Millis      `db:"offer_timeout_ms"`
	WrapUpMS               domain.Millis      `db:"wrap_up_ms"`
	DefinedAt              time.Time          `db:"defined_at"`
	ValidFrom              time.Time          `db:"valid_from"`
	Revision               uint64             `db:"revision"`
}

type profileRow struct {
	ProfileID     domain.ProfileID   `db:"profile_id,key"`
	Name          string             `db:"name"`
	Chat          bool               `db:"chat"`
	Supervisor    bool               `db:"supervisor"`
	Monitor       bool               `db:"monitor"`
	MaxSessions   int                `db:"max_sessions"`
	Queues        string             `db:"queues"`
	PullPolicy    profile.PullPolicy `db:"pull_policy"`
	AllowDecline  bool               `db:"allow_decline"`
	ReceiveOffers bool               `db:"receive_offers"`
	DefinedAt     time.Time          `db:"defined_at"`
	ValidFrom     time.Time          `db:"valid_from"`
	Revision      uint64             `db:"revision"`
}

var (
	queueTable   = readstore.NewTable[queueRow]("dim_queue", readstore.State)
	profileTable = readstore.NewTable[profileRow]("dim_profile", readstore.State)
)

// state is the row of the stream's queue or profile.
type state struct {
	queue   *queueRow
	profile *profileRow
}

type fold struct {
	queues   *projections.States[queueRow]
	profiles *projections.States[profileRow]
}

// New makes the projection.
func New() projections.Projection {
	f := &fold{projections.NewStates(queueTable), projections.NewStates(profileTable)}
	return projections.New(projections.Definition[state]{
		Name: Name, Prefixes: []string{eventcodec.QueuePrefix, eventcodec.ProfilePrefix},
		Load: load, Fold: f.fold, Buffers: []projections.Buffer{f.queues, f.profiles},
	})
}

func (f *fold) fold(s *state, e *eventcodec.Envelope) error {
	at := e.Metadata.OccurredAt
	switch event := e.Event.(type) {
	case queue.QueueDefined:
		s.queue = &queueRow{QueueID: event.QueueID, DefinedAt: at}
		return f.setQueue(s.queue, event.Settings, e)
	case queue.QueueChanged:
		return f.setQueue(s.queue, event.Settings, e)
	case profile.ProfileDefined:
		s.profile = &profileRow{ProfileID: event.ProfileID, DefinedAt: at}
		return f.setProfile(s.profile, event.Settings, e)
	case profile.ProfileChanged:
		return f.setProfile(s.profile, event.Settings, e)
	default:
		return projections.NotOfStream(e)
	}
}

func (f *fold) setQueue(row *queueRow, s queue.Settings, e *eventcodec.Envelope) error {
	row.Name, row.ServiceLevelMS, row.ShortAbandonMS = s.Name, s.ServiceLevelMS, s.ShortAbandonMS
	row.AnnounceSupervisorJoin, row.AgentPrivateReply = s.AnnounceSupervisorJoin, s.AgentPrivateReply
	row.OfferTimeoutMS, row.WrapUpMS = s.OfferTimeoutMS, s.WrapUpMS
	row.ValidFrom, row.Revision = e.Metadata.OccurredAt, e.Revision
	f.queues.Put(row)
	return nil
}

func (f *fold) setProfile(row *profileRow, s profile.Settings, e *eventcodec.Envelope) error {
	queues, err := json.Marshal(s.Queues)
	if err != nil {
		return err
	}
	if s.Queues == nil {
		queues = []byte("[]")
	}
	row.Name, row.Chat, row.Supervisor, row.Monitor = s.Name, s.Chat, s.Supervisor, s.Monitor
	row.MaxSessions, row.Queues, row.PullPolicy = s.MaxSessions, string(queues), s.PullPolicy
	row.AllowDecline, row.ReceiveOffers = s.AllowDecline, s.ReceiveOffers
	row.ValidFrom, row.Revision = e.Metadata.OccurredAt, e.Revision
	f.profiles.Put(row)
	return nil
}

func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[state], error) {
	var queueIDs, profileIDs []string
	for _, s := range streams {
		if id, ok := strings.CutPrefix(s, eventcodec.QueuePrefix); ok {
			queueIDs = append(queueIDs, id)
		} else {
			profileIDs = append(profileIDs, strings.TrimPrefix(s, eventcodec.ProfilePrefix))
		}
	}
	out := map[string]projections.Loaded[state]{}
	queues, err := readstore.SelectIn(ctx, q, queueTable, "queue_id", queueIDs, "")
	if err != nil {
		return nil, err
	}
	for _, row := range queues {
		out[eventcodec.QueuePrefix+string(row.QueueID)] = projections.Loaded[state]{State: state{queue: row}, Next: row.Revision + 1}
	}
	profiles, err := readstore.SelectIn(ctx, q, profileTable, "profile_id", profileIDs, "")
	if err != nil {
		return nil, err
	}
	for _, row := range profiles {
		out[eventcodec.ProfilePrefix+string(row.ProfileID)] = projections.Loaded[state]{State: state{profile: row}, Next: row.Revision + 1}
	}
	return out, nil
}
