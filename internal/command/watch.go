package command

import (
	"context"
	"errors"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// Duty, and what its end means for sessions (rule 11).

// LogIn begins a staff member's duty.
func (s *Service) LogIn(ctx context.Context, r Request, id domain.StaffID, status staff.Status) (StaffOutcome, error) {
	account, err := s.Account(ctx, id)
	if err != nil {
		return StaffOutcome{}, err
	}
	return s.onMember(ctx, id, r, staff.LogIn{Status: status, Chat: account.Profile.Chat, Queues: len(account.Profile.Queues)})
}

// SetStatus changes what a staff member is doing.
func (s *Service) SetStatus(ctx context.Context, r Request, id domain.StaffID, status staff.Status, reason string) (StaffOutcome, error) {
	return s.onMember(ctx, id, r, staff.SetStatus{Status: status, Reason: reason})
}

// LogOut ends a staff member's duty, their monitorings and the offers to them.
func (s *Service) LogOut(ctx context.Context, r Request, id domain.StaffID) (StaffOutcome, error) {
	ctx, cancel := begin(ctx)
	defer cancel()
	out, err := s.onMember(ctx, id, r, staff.LogOut{})
	if err != nil || out.Replayed {
		return out, err
	}
	for _, slot := range out.State.Slots {
		if err := s.Recheck(ctx, r.derive("logout "+string(slot.SessionID)), slot.SessionID, id); err != nil {
			s.log.WarnContext(ctx, "the end of a duty is left to the process", "session", slot.SessionID, "staff", id, "error", err)
		}
	}
	now, err := s.Member(ctx, id)
	out.View = now
	return out, err
}

// Recheck ends what a staff member is in a session when it has lost its ground: a monitoring for which the profile, the
// duty, the queue or the slot is missing, an offer to somebody who has logged out.
func (s *Service) Recheck(ctx context.Context, r Request, id domain.SessionID, member domain.StaffID) error {
	now, err := s.sessions.Settled(ctx, string(id))
	if err != nil {
		return err
	}
	account, err := s.settledAccount(ctx, member)
	if err != nil {
		return err
	}
	held, _ := account.Member.State.Slot(id)
	if now.State.OfferedTo(member) && !account.Member.State.LoggedIn {
		_, err := s.onSession(ctx, id, r.derive("withdraw"), session.Reader{}, session.ExpireOffer{
			ReservationID: now.State.Offer.ReservationID, Reason: session.OfferLoggedOut,
		})
		return err
	}
	w, watching := now.State.Watcher(member)
	if !watching {
		return nil
	}
	reason, grounded := now.State.StillGrounded(account.Standing(), held.ReservationID == w.ReservationID)
	if grounded {
		return nil
	}
	_, err = s.onSession(ctx, id, r.derive("unwatch "+w.ReservationID), session.Reader{}, session.EndMonitoring{
		StaffID: member, ReservationID: w.ReservationID, Reason: reason,
	})
	return err
}

// settledAccount is Account with everything that stands in the log.
func (s *Service) settledAccount(ctx context.Context, id domain.StaffID) (Account, error) {
	member, err := s.members.Settled(ctx, string(id))
	if err != nil || !member.State.Registered {
		return Account{Member: member}, err
	}
	p, err := s.profiles.Settled(ctx, string(member.State.ProfileID))
	return Account{Member: member, Profile: p.State}, err
}

func (s *Service) recheckWatchers(ctx context.Context, r Request, id domain.SessionID) error {
	now, err := s.sessions.Settled(ctx, string(id))
	if err != nil {
		return err
	}
	var errs []error
	for _, w := range now.State.Watchers {
		errs = append(errs, s.Recheck(ctx, r.derive("recheck "+string(w.ID)), id, w.ID))
	}
	return errors.Join(errs...)
}

// ExpireOffer withdraws an offer whose time is over.
func (s *Service) ExpireOffer(ctx context.Context, r Request, id domain.SessionID, reservationID string) error {
	_, err := s.onSession(ctx, id, r, session.Reader{}, session.ExpireOffer{ReservationID: reservationID, Reason: session.OfferTimedOut})
	return err
}

// EndWrapUp completes a wrap-up whose time is over.
func (s *Service) EndWrapUp(ctx context.Context, r Request, id domain.SessionID) error {
	_, err := s.onSession(ctx, id, r, session.Reader{}, session.EndWrapUp{})
	return err
}
