package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// Reader makes snapshots.
type Reader struct{ db readstore.DB }

// NewReader makes a reader of a database.
func NewReader(db readstore.DB) *Reader { return &Reader{db} }

// facts are what a snapshot is made of.
type facts struct {
	position eventstore.Position
	queues   []directory.Queue
	profiles []directory.Profile
	onDuty   []staffing.Member
	sessions []sessions.Session
	watches  []sessions.Monitoring
	today    map[domain.QueueID]sessions.Day
}

// Snapshot shows some queues, or all for nil, as they are. Now is the time from which ages are counted.
func (r *Reader) Snapshot(ctx context.Context, queues []domain.QueueID, now time.Time) (*Snapshot, error) {
	var f facts
	err := r.db.View(ctx, func(v readstore.Queryer) (err error) {
		if err := f.place(ctx, v); err != nil {
			return err
		}
		lookup, reader := directory.NewReader(v), sessions.NewReader(v)
		if f.queues, err = lookup.AllQueues(ctx); err != nil {
			return err
		}
		if f.profiles, err = lookup.AllProfiles(ctx); err != nil {
			return err
		}
		if f.onDuty, err = staffing.NewReader(v).OnDuty(ctx); err != nil {
			return err
		}
		if f.sessions, err = reader.Open(ctx, queues); err != nil {
			return err
		}
		if f.watches, err = reader.WatchedNow(ctx); err != nil {
			return err
		}
		f.today, err = reader.Since(ctx, f.queueIDs(), midnight(now))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make snapshot: %w", err)
	}
	return build(&f, queues, now), nil
}

// SnapshotAt shows some queues, or all for nil, as they were at a past time, from the intervals that were open then and from
// what had been said. Times are given out in milliseconds: what happened within one belongs to it. Queues, profiles, limits
// and names are those of that time too.
func (r *Reader) SnapshotAt(ctx context.Context, queues []domain.QueueID, at time.Time) (*Snapshot, error) {
	var f facts
	until := at.Truncate(time.Millisecond).Add(time.Millisecond - time.Microsecond)
	err := r.db.View(ctx, func(v readstore.Queryer) (err error) {
		if err := f.place(ctx, v); err != nil {
			return err
		}
		lookup := directory.NewReader(v)
		if f.queues, err = lookup.AllQueuesAt(ctx, until); err != nil {
			return err
		}
		if f.profiles, err = lookup.AllProfilesAt(ctx, until); err != nil {
			return err
		}
		past, err := staffing.NewReader(v).OnDutyAt(ctx, until)
		if err != nil {
			return err
		}
		for _, p := range past {
			f.onDuty = append(f.onDuty, staffing.Member{
				ID: p.ID, Name: p.Name, ProfileID: p.ProfileID, LoggedIn: true, Status: p.Status, StatusSince: p.Since, Slots: p.Slots,
			})
		}
		reader := sessions.NewReader(v)
		if f.sessions, err = reader.OpenAt(ctx, until); err != nil {
			return err
		}
		if err := f.recall(ctx, v, until); err != nil {
			return err
		}
		if f.watches, err = reader.WatchedAt(ctx, until); err != nil {
			return err
		}
		f.today, err = reader.Between(ctx, midnight(at), until)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make past snapshot: %w", err)
	}
	return build(&f, queues, at), nil
}

// recall adds to past sessions what no interval tells: messages, and calls and offers that were open.
func (f *facts) recall(ctx context.Context, v readstore.Queryer, until time.Time) error {
	keys := make([]int64, len(f.sessions))
	for i, s := range f.sessions {
		keys[i] = s.Key
	}
	activities, err := transcript.ActivityAt(ctx, v, keys, until)
	if err != nil {
		return err
	}
	for i := range f.sessions {
		s := &f.sessions[i]
		a := activities[s.Key]
		s.Messages, s.HelpRequestedAt = a.Messages, a.HelpRequestedAt
		s.LastCustomerMessageAt, s.LastAgentMessageAt = a.LastCustomerMessageAt, a.LastAgentMessageAt
		switch {
		case s.State != session.Queued:
		case !a.OfferedAt.IsZero():
			s.State, s.StateSince = session.Offered, a.OfferedAt
		case a.WithdrawnAt.After(s.StateSince):
			s.StateSince = a.WithdrawnAt
		}
	}
	return nil
}

// place reads how far the tables are.
func (f *facts) place(ctx context.Context, v readstore.Queryer) error {
	rows, err := v.Query(ctx, "SELECT coalesce(min(position), 0) FROM checkpoint WHERE name IN (?, ?, ?)",
		directory.Name, staffing.Name, sessions.Name)
	_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
		var position int64
		err := rows.Scan(&position)
		f.position = eventstore.Position(position)
		return struct{}{}, err
	})
	return err
}

func (f *facts) queueIDs() []domain.QueueID {
	ids := make([]domain.QueueID, len(f.queues))
	for i, q := range f.queues {
		ids[i] = q.ID
	}
	return ids
}

func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
