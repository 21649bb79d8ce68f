package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Queue as it is now, or was at some time.
type Queue struct {
	ID domain.QueueID
	queue.Settings
	DefinedAt time.Time
	ValidFrom time.Time // since when the settings are so
	Revision  uint64    // of the event in the queue's stream that made them so
}

// Profile as it is now, or was at some time.
type Profile struct {
	ID domain.ProfileID
	profile.Settings
	DefinedAt time.Time
	ValidFrom time.Time
	Revision  uint64
}

// Reader reads queues and profiles.
type Reader struct{ q readstore.Queryer }

// NewReader makes a reader of a database, or of a moment of it.
func NewReader(q readstore.Queryer) *Reader { return &Reader{q} }

// MaxLimit bounds a page.
const MaxLimit = 1000

// Queues lists queues by id, those after an id ("" for the first), at most limit.
func (r *Reader) Queues(ctx context.Context, after domain.QueueID, limit int) ([]Queue, error) {
	rows, err := queueTable.Select(ctx, r.q, "WHERE is_current AND queue_id > ? ORDER BY queue_id LIMIT ?", string(after), bounded(limit))
	if err != nil {
		return nil, err
	}
	return queuesOf(rows), nil
}

// AllQueues lists every queue by id.
func (r *Reader) AllQueues(ctx context.Context) ([]Queue, error) {
	rows, err := queueTable.Select(ctx, r.q, "WHERE is_current ORDER BY queue_id")
	if err != nil {
		return nil, err
	}
	return queuesOf(rows), nil
}

// versionAt holds for the version of a time. There are so few versions that it needs no index.
const versionAt = "WHERE valid_from <= ? AND (valid_to > ? OR valid_to IS NULL) "

// AllQueuesAt lists every queue that there was at a time, as it was then, by id.
func (r *Reader) AllQueuesAt(ctx context.Context, at time.Time) ([]Queue, error) {
	rows, err := queueTable.Select(ctx, r.q, versionAt+"ORDER BY queue_id", readstore.At(at), readstore.At(at))
	if err != nil {
		return nil, err
	}
	return queuesOf(rows), nil
}

func queuesOf(rows []*queueRow) []Queue {
	out := make([]Queue, len(rows))
	for i, row := range rows {
		out[i] = Queue{
			ID: row.QueueID, DefinedAt: row.DefinedAt, ValidFrom: row.ValidFrom, Revision: row.Revision,
			Settings: queue.Settings{
				Name: row.Name, ServiceLevelMS: row.ServiceLevelMS, ShortAbandonMS: row.ShortAbandonMS,
				AnnounceSupervisorJoin: row.AnnounceSupervisorJoin, AgentPrivateReply: row.AgentPrivateReply,
				OfferTimeoutMS: row.OfferTimeoutMS, WrapUpMS: row.WrapUpMS,
			},
		}
	}
	return out
}

// Profiles lists profiles by id, those after an id ("" for the first), at most limit.
func (r *Reader) Profiles(ctx context.Context, after domain.ProfileID, limit int) ([]Profile, error) {
	rows, err := profileTable.Select(ctx, r.q, "WHERE is_current AND profile_id > ? ORDER BY profile_id LIMIT ?", string(after), bounded(limit))
	if err != nil {
		return nil, err
	}
	return profilesOf(rows)
}

// AllProfiles lists every profile by id.
func (r *Reader) AllProfiles(ctx context.Context) ([]Profile, error) {
	rows, err := profileTable.Select(ctx, r.q, "WHERE is_current ORDER BY profile_id")
	if err != nil {
		return nil, err
	}
	return profilesOf(rows)
}

// AllProfilesAt lists every profile that there was at a time, as it was then, by id.
func (r *Reader) AllProfilesAt(ctx context.Context, at time.Time) ([]Profile, error) {
	rows, err := profileTable.Select(ctx, r.q, versionAt+"ORDER BY profile_id", readstore.At(at), readstore.At(at))
	if err != nil {
		return nil, err
	}
	return profilesOf(rows)
}

func profilesOf(rows []*profileRow) ([]Profile, error) {
	out := make([]Profile, len(rows))
	for i, row := range rows {
		p := Profile{
			ID: row.ProfileID, DefinedAt: row.DefinedAt, ValidFrom: row.ValidFrom, Revision: row.Revision,
			Settings: profile.Settings{
				Name: row.Name, Chat: row.Chat, Supervisor: row.Supervisor, Monitor: row.Monitor,
				MaxSessions: row.MaxSessions, PullPolicy: row.PullPolicy, AllowDecline: row.AllowDecline,
				ReceiveOffers: row.ReceiveOffers,
			},
		}
		if err := json.Unmarshal([]byte(row.Queues), &p.Queues); err != nil {
			return nil, fmt.Errorf("read queues of profile %s: %w", row.ProfileID, err)
		}
		out[i] = p
	}
	return out, nil
}

func bounded(limit int) int { return max(1, min(limit, MaxLimit)) }
