package command

import (
	"context"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// DefineQueue sets a queue's settings.
func (s *Service) DefineQueue(ctx context.Context, r Request, id domain.QueueID, settings queue.Settings) (QueueOutcome, error) {
	return s.queues.Execute(ctx, string(id), r, func(v View[queue.State]) ([]queue.Event, error) {
		if r.IfMatch != nil && *r.IfMatch != v.Revision {
			return nil, stale()
		}
		return queue.Decide(v.State, queue.Define{QueueID: id, Settings: settings})
	})
}

// DefineProfile sets a profile's settings. What its members watch is looked at again by the process that keeps the slots.
func (s *Service) DefineProfile(ctx context.Context, r Request, id domain.ProfileID, settings profile.Settings) (ProfileOutcome, error) {
	var unknown []domain.QueueID
	for _, q := range settings.Queues {
		if !domain.ValidID(string(q)) {
			continue // the decider says so
		}
		known, err := s.Queue(ctx, q)
		if err != nil {
			return ProfileOutcome{}, err
		}
		if !known.State.Defined {
			unknown = append(unknown, q)
		}
	}
	return s.profiles.Execute(ctx, string(id), r, func(v View[profile.State]) ([]profile.Event, error) {
		if r.IfMatch != nil && *r.IfMatch != v.Revision {
			return nil, stale()
		}
		return profile.Decide(v.State, profile.Define{ProfileID: id, Settings: settings, UnknownQueues: unknown})
	})
}

// RegisterStaff gives a staff member a name and a profile.
func (s *Service) RegisterStaff(ctx context.Context, r Request, id domain.StaffID, name string, profileID domain.ProfileID) (StaffOutcome, error) {
	exists := false
	if domain.ValidID(string(profileID)) {
		known, err := s.Profile(ctx, profileID)
		if err != nil {
			return StaffOutcome{}, err
		}
		exists = known.State.Defined
	}
	return s.onMember(ctx, id, r, staff.Register{StaffID: id, Name: name, ProfileID: profileID, ProfileExists: exists})
}
