// Package directory answers which queues and profiles there are, what they are set to, and what they were set to at any
// time: every version is a row. Those that hold now are indexed by themselves, so reading the present costs nothing for the
// past.
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
	Revision               uint64             `db:"revision,key"`
	Name                   string             `db:"name"`
	ServiceLevelMS         domain.Millis      `db:"service_level_ms"`
	ShortAbandonMS         domain.Millis      `db:"short_abandon_ms"`
	AnnounceSupervisorJoin bool               `db:"announce_supervisor_join"`
	AgentPrivateReply      queue.PrivateReply `db:"agent_private_reply"`
	OfferTimeoutMS         domain.Millis      `db:"offer_timeout_ms"`
	WrapUpMS               domain.Millis      `db:"wrap_up_ms"`
	DefinedAt              time.Time          `db:"defined_at"`
	ValidFrom              time.Time          `db:"valid_from"`
	ValidTo                time.Time          `db:"valid_to,null"`
	IsCurrent              bool               `db:"is_current"`
}

type profileRow struct {
	ProfileID     domain.ProfileID   `db:"profile_id,key"`
	Revision      uint64             `db:"revision,key"`
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
	ValidTo       time.Time          `db:"valid_to,null"`
	IsCurrent     bool               `db:"is_current"`
}

var (
	queueTable   = readstore.NewTable[queueRow]("dim_queue", readstore.State)
	profileTable = readstore.NewTable[profileRow]("dim_profile", readstore.State)
)

// state is the version of the stream's queue or profile that holds.
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
	switch event := e.Event.(type) {
	case queue.QueueDefined:
		f.setQueue(s, event.QueueID, event.Settings, e)
		return nil
	case queue.QueueChanged:
		f.setQueue(s, s.queue.QueueID, event.Settings, e)
		return nil
	case profile.ProfileDefined:
		return f.setProfile(s, event.ProfileID, event.Settings, e)
	case profile.ProfileChanged:
		return f.setProfile(s, s.profile.ProfileID, event.Settings, e)
	default:
		return projections.NotOfStream(e)
	}
}

// setQueue ends the version that holds and begins the next.
func (f *fold) setQueue(s *state, id domain.QueueID, to queue.Settings, e *eventcodec.Envelope) {
	at := e.Metadata.OccurredAt
	next := &queueRow{
		QueueID: id, Revision: e.Revision, Name: to.Name, ServiceLevelMS: to.ServiceLevelMS, ShortAbandonMS: to.ShortAbandonMS,
		AnnounceSupervisorJoin: to.AnnounceSupervisorJoin, AgentPrivateReply: to.AgentPrivateReply,
		OfferTimeoutMS: to.OfferTimeoutMS, WrapUpMS: to.WrapUpMS, DefinedAt: at, ValidFrom: at, IsCurrent: true,
	}
	if last := s.queue; last != nil {
		next.DefinedAt, next.ValidFrom = last.DefinedAt, projections.Later(at, last.ValidFrom)
		last.ValidTo, last.IsCurrent = next.ValidFrom, false
		f.queues.Put(last)
	}
	f.queues.Add(next)
	s.queue = next
}

// setProfile does the same for a profile.
func (f *fold) setProfile(s *state, id domain.ProfileID, to profile.Settings, e *eventcodec.Envelope) error {
	queues, err := json.Marshal(to.Queues)
	if err != nil {
		return err
	}
	if to.Queues == nil {
		queues = []byte("[]")
	}
	at := e.Metadata.OccurredAt
	next := &profileRow{
		ProfileID: id, Revision: e.Revision, Name: to.Name, Chat: to.Chat, Supervisor: to.Supervisor, Monitor: to.Monitor,
		MaxSessions: to.MaxSessions, Queues: string(queues), PullPolicy: to.PullPolicy, AllowDecline: to.AllowDecline,
		ReceiveOffers: to.ReceiveOffers, DefinedAt: at, ValidFrom: at, IsCurrent: true,
	}
	if last := s.profile; last != nil {
		next.DefinedAt, next.ValidFrom = last.DefinedAt, projections.Later(at, last.ValidFrom)
		last.ValidTo, last.IsCurrent = next.ValidFrom, false
		f.profiles.Put(last)
	}
	f.profiles.Add(next)
	s.profile = next
	return nil
}

// load reads the versions that hold. Each event begins one, so the last event of the stream is theirs.
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
	queues, err := readstore.SelectIn(ctx, q, queueTable, "queue_id", queueIDs, "AND is_current")
	if err != nil {
		return nil, err
	}
	for _, row := range queues {
		out[eventcodec.QueuePrefix+string(row.QueueID)] = projections.Loaded[state]{State: state{queue: row}, Next: row.Revision + 1}
	}
	profiles, err := readstore.SelectIn(ctx, q, profileTable, "profile_id", profileIDs, "AND is_current")
	if err != nil {
		return nil, err
	}
	for _, row := range profiles {
		out[eventcodec.ProfilePrefix+string(row.ProfileID)] = projections.Loaded[state]{State: state{profile: row}, Next: row.Revision + 1}
	}
	return out, nil
}
