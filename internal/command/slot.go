package command

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/slots"
	"github.com/chatwatch/chatwatch/domain/staff"
)

// Flows over the staff stream and the session stream (rule 12): the slot is reserved first, where the limit is decided,
// the act on the session follows, and what the session does not take is released. A process that dies between the two
// leaves a reservation without its session event; the process that keeps the slots finishes or undoes it.

// reservation is an act in a session that needs a slot of a staff member.
type reservation struct {
	session domain.SessionID
	holder  domain.StaffID
	purpose staff.Purpose
	limit   int // max_sessions of the holder's profile
	as      session.Reader
	act     func(reservationID string) session.Command
}

// withSlot reserves, acts and follows up. It tries the act first without reserving, so that what cannot be done costs no slot.
func (s *Service) withSlot(ctx context.Context, r Request, v reservation) (SessionOutcome, error) {
	ctx, cancel := begin(ctx)
	defer cancel()
	now, err := s.Session(ctx, v.session)
	if err != nil {
		return SessionOutcome{}, err
	}
	// Recalled after the state was read: a state that shows what the same request has done is not decided on.
	if done, known, err := s.sessions.Recall(ctx, string(v.session), r); err != nil {
		return SessionOutcome{}, err
	} else if known {
		now, err := s.Session(ctx, v.session)
		return SessionOutcome{View: now, Replayed: true, Done: done}, err
	}
	act := v.act(r.reservationID())
	if r.IfMatch != nil && *r.IfMatch != now.State.Revision(v.as) {
		return SessionOutcome{}, stale()
	}
	if events, err := session.Decide(now.State, act); err != nil || len(events) == 0 {
		return SessionOutcome{View: now, Done: Done{Revision: now.Revision, Position: now.Position}}, err
	}
	if _, err := s.onMember(ctx, v.holder, r.derive("reserve"), staff.Reserve{
		SessionID: v.session, ReservationID: r.reservationID(), Purpose: v.purpose, MaxSessions: v.limit,
	}); err != nil {
		if domain.CodeOf(err) == "" {
			s.undo(ctx, r, v) // it may have been stored
		}
		return SessionOutcome{}, err
	}
	out, err := s.onSession(ctx, v.session, r, v.as, act)
	if err != nil || len(out.Events) == 0 && !out.Replayed {
		s.undo(ctx, r, v)
	}
	return out, err
}

// Accept takes a session for the caller.
func (s *Service) Accept(ctx context.Context, r Request, id domain.SessionID) (SessionOutcome, error) {
	return s.asMember(ctx, r, id, staff.ForEngagement, func(by session.Standing) func(string) session.Command {
		return func(reservationID string) session.Command {
			return session.Accept{By: by, ReservationID: reservationID, At: r.At}
		}
	})
}

// Monitor starts the caller's silent watch.
func (s *Service) Monitor(ctx context.Context, r Request, id domain.SessionID, reason string) (SessionOutcome, error) {
	return s.asMember(ctx, r, id, staff.ForMonitoring, func(by session.Standing) func(string) session.Command {
		return func(reservationID string) session.Command {
			return session.Watch{By: by, ReservationID: reservationID, Reason: reason}
		}
	})
}

// asMember runs an act that needs a slot of the caller.
func (s *Service) asMember(ctx context.Context, r Request, id domain.SessionID, purpose staff.Purpose,
	act func(session.Standing) func(string) session.Command) (SessionOutcome, error) {
	if r.Actor.Role != domain.RoleStaff {
		return SessionOutcome{}, domain.Reject(domain.NotPermitted, "only staff can do this")
	}
	account, err := s.Account(ctx, domain.StaffID(r.Actor.ID))
	if err != nil {
		return SessionOutcome{}, err
	}
	if !account.Member.State.Registered {
		return SessionOutcome{}, domain.Reject(domain.NotPermitted, "the caller is not a registered staff member")
	}
	by := account.Standing()
	now, err := s.Session(ctx, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.withSlot(ctx, r, reservation{
		session: id, holder: by.ID, purpose: purpose, limit: account.Profile.MaxSessions,
		as: now.State.ReaderFor(by), act: act(by),
	})
}

// TransferToQueue puts the session at the end of a queue.
func (s *Service) TransferToQueue(ctx context.Context, r Request, id domain.SessionID, to domain.QueueID) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	q, err := s.queueRef(ctx, to)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.onSession(ctx, id, r, as, session.Transfer{By: by, ToQueue: &q, At: r.At})
}

// TransferToStaff gives the session to a staff member, whose slot it takes.
func (s *Service) TransferToStaff(ctx context.Context, r Request, id domain.SessionID, to domain.StaffID) (SessionOutcome, error) {
	by, as, err := s.caller(ctx, r, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	var target Account
	if domain.ValidID(string(to)) {
		if target, err = s.Account(ctx, to); err != nil {
			return SessionOutcome{}, err
		}
	}
	if !target.Member.State.Registered {
		return SessionOutcome{}, domain.Reject(domain.InvalidRequest, "the staff member to transfer to does not exist")
	}
	standing := target.Standing()
	out, err := s.withSlot(ctx, r, reservation{
		session: id, holder: standing.ID, purpose: staff.ForEngagement, limit: target.Profile.MaxSessions, as: as,
		act: func(reservationID string) session.Command {
			return session.Transfer{By: by, To: &standing, ReservationID: reservationID, At: r.At}
		},
	})
	if domain.CodeOf(err) == domain.NoIdleSession {
		// How many sessions another has in use is not for every agent to know (rule 4).
		err = domain.Reject(domain.NoIdleSession, "that staff member has no idle session")
	}
	return out, err
}

// Offer asks an agent to take a waiting session.
func (s *Service) Offer(ctx context.Context, r Request, id domain.SessionID, to domain.StaffID) (SessionOutcome, error) {
	account, err := s.Account(ctx, to)
	if err != nil {
		return SessionOutcome{}, err
	}
	now, err := s.Session(ctx, id)
	if err != nil {
		return SessionOutcome{}, err
	}
	return s.withSlot(ctx, r, reservation{
		session: id, holder: to, purpose: staff.ForOffer, limit: account.Profile.MaxSessions,
		act: func(reservationID string) session.Command {
			return session.OfferTo{
				Agent: account.Standing().StaffRef, ReservationID: reservationID,
				ExpiresAt: r.At.Add(now.State.Queue.OfferTimeoutMS.Duration()),
			}
		},
	})
}

// followUp does at once what the events of a session entail elsewhere: slots are released, and watchers whose ground may
// have moved are looked at again. The process that keeps the slots does the same from the log, so a failure here is only late.
func (s *Service) followUp(ctx context.Context, id domain.SessionID, r Request, events []session.Event) {
	if len(events) == 0 {
		return
	}
	var group errgroup.Group
	moved := false
	for _, e := range events {
		if over, ok := slots.EndedBy(e); ok {
			group.Go(func() error {
				ctx, cancel := begin(ctx)
				defer cancel()
				return s.Release(ctx, r, over.StaffID, id, over.ReservationID)
			})
		}
		if _, ok := e.(session.SessionTransferred); ok {
			moved = true
		}
	}
	if moved {
		group.Go(func() error {
			ctx, cancel := begin(ctx)
			defer cancel()
			return s.recheckWatchers(ctx, r, id)
		})
	}
	if err := group.Wait(); err != nil {
		s.log.WarnContext(ctx, "follow-up of a session is left to the process", "session", id, "error", err)
	}
}

// Release gives back the slot of a reservation; nothing happens when it is not held.
func (s *Service) Release(ctx context.Context, r Request, holder domain.StaffID, id domain.SessionID, reservationID string) error {
	_, err := s.onMember(ctx, holder, r.derive("release "+reservationID), staff.Release{SessionID: id, ReservationID: reservationID})
	return err
}

// undo brings the holder's slot in line with the session after an act that the session did not take. A reservation that
// another flow has made meanwhile is left to that flow.
func (s *Service) undo(ctx context.Context, r Request, v reservation) {
	mine := func(held staff.Slot) bool { return held.ReservationID == r.reservationID() }
	if err := s.compare(ctx, r, v.session, v.holder, mine); err != nil {
		s.log.WarnContext(ctx, "a slot is left to the process", "session", v.session, "staff", v.holder, "error", err)
	}
}

// Settle brings a staff member's slot for a session in line with what the session says of them.
func (s *Service) Settle(ctx context.Context, r Request, id domain.SessionID, holder domain.StaffID) error {
	return s.compare(ctx, r, id, holder, func(staff.Slot) bool { return true })
}

// compare settles a slot when the one that is held, zero for none, is of those to settle.
func (s *Service) compare(ctx context.Context, r Request, id domain.SessionID, holder domain.StaffID, settles func(staff.Slot) bool) error {
	now, err := s.sessions.Settled(ctx, string(id))
	if err != nil {
		return err
	}
	_, err = s.members.Execute(ctx, string(holder), r.derive("settle"), func(v View[staff.State]) ([]staff.Event, error) {
		held, _ := v.State.Slot(id)
		if c := slots.Settle(now.State, v.State, id); c != nil && settles(held) {
			return staff.Decide(v.State, c)
		}
		return nil, nil
	})
	return err
}
