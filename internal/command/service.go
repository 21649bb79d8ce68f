package command

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/snapshot"
)

// Config of a Service.
type Config struct {
	Store eventstore.Store
	Log   *slog.Logger
	// Shared says that other processes append to the same store.
	Shared bool
	// Snapshots keeps the states of staff streams, which grow as long as somebody works; nil to fold them from their start.
	Snapshots *snapshot.Files
	// HotSessions bounds how many sessions are kept folded in memory; 0 for the default.
	HotSessions int
}

// flowTimeout bounds a flow over several streams once it has begun. A flow goes on when its caller hangs up: half of it
// would have to be undone.
const flowTimeout = 10 * time.Second

// Service carries out every command of the product.
type Service struct {
	sessions *Aggregate[session.State, session.Event]
	members  *Aggregate[staff.State, staff.Event]
	profiles *Aggregate[profile.State, profile.Event]
	queues   *Aggregate[queue.State, queue.Event]
	accesses *accesses
	log      *slog.Logger
}

// New makes the service over a store.
func New(c Config) (*Service, error) {
	hot := c.HotSessions
	if hot == 0 {
		hot = 20_000
	}
	sessions, err1 := newAggregate[session.State, session.Event](c, eventcodec.SessionPrefix, session.Evolve, validSessionID, hot)
	members, err2 := newAggregate[staff.State, staff.Event](c, eventcodec.StaffPrefix, staff.Evolve, domain.ValidID, 20_000)
	profiles, err3 := newAggregate[profile.State, profile.Event](c, eventcodec.ProfilePrefix, profile.Evolve, domain.ValidID, 5_000)
	queues, err4 := newAggregate[queue.State, queue.Event](c, eventcodec.QueuePrefix, queue.Evolve, domain.ValidID, 5_000)
	accesses, err5 := newAccesses(c.Store)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	members.snapshots = c.Snapshots
	return &Service{sessions: sessions, members: members, profiles: profiles, queues: queues, accesses: accesses, log: c.Log}, nil
}

func validSessionID(id string) bool { return len(id) == 36 && uuid.Validate(id) == nil }

// The outcomes of the four kinds of stream.
type (
	SessionOutcome = Outcome[session.State, session.Event]
	StaffOutcome   = Outcome[staff.State, staff.Event]
	ProfileOutcome = Outcome[profile.State, profile.Event]
	QueueOutcome   = Outcome[queue.State, queue.Event]
)

// Session returns the present state of a session.
func (s *Service) Session(ctx context.Context, id domain.SessionID) (View[session.State], error) {
	return s.sessions.Load(ctx, string(id))
}

// Member returns the present state of a staff member.
func (s *Service) Member(ctx context.Context, id domain.StaffID) (View[staff.State], error) {
	return s.members.Load(ctx, string(id))
}

// Profile returns the present state of a profile.
func (s *Service) Profile(ctx context.Context, id domain.ProfileID) (View[profile.State], error) {
	return s.profiles.Load(ctx, string(id))
}

// Queue returns the present state of a queue.
func (s *Service) Queue(ctx context.Context, id domain.QueueID) (View[queue.State], error) {
	return s.queues.Load(ctx, string(id))
}

// Account is a staff member with the profile that they have at this time.
type Account struct {
	Member  View[staff.State]
	Profile profile.State
}

// Account returns a staff member with their profile. Who is not registered has the zero state.
func (s *Service) Account(ctx context.Context, id domain.StaffID) (Account, error) {
	member, err := s.Member(ctx, id)
	if err != nil || !member.State.Registered {
		return Account{Member: member}, err
	}
	p, err := s.Profile(ctx, member.State.ProfileID)
	return Account{Member: member, Profile: p.State}, err
}

// Standing is what the account means in a session.
func (a Account) Standing() session.Standing {
	m, p := a.Member.State, a.Profile
	return session.Standing{
		StaffRef: session.StaffRef{ID: m.ID, Name: m.Name},
		LoggedIn: m.LoggedIn, Chat: p.Chat, Supervisor: p.Supervisor, Monitor: p.Monitor,
		AllowDecline: p.AllowDecline, Queues: p.Queues,
	}
}

// Standing returns what a caller may do in sessions: a staff member by their account, an administrator by their role.
func (s *Service) Standing(ctx context.Context, by domain.Actor) (session.Standing, error) {
	if by.Role == domain.RoleAdmin {
		return session.Standing{StaffRef: session.StaffRef{ID: domain.StaffID(by.ID)}, Admin: true}, nil
	}
	account, err := s.Account(ctx, domain.StaffID(by.ID))
	if err != nil {
		return session.Standing{}, err
	}
	if !account.Member.State.Registered {
		return session.Standing{}, domain.Reject(domain.NotPermitted, "the caller is not a registered staff member")
	}
	return account.Standing(), nil
}

// onSession runs a command that touches the session alone, then what its events entail.
func (s *Service) onSession(ctx context.Context, id domain.SessionID, r Request, as session.Reader, c session.Command) (SessionOutcome, error) {
	out, err := s.sessions.Execute(ctx, string(id), r, func(v View[session.State]) ([]session.Event, error) {
		if r.IfMatch != nil && *r.IfMatch != v.State.Revision(as) {
			return nil, stale()
		}
		return session.Decide(v.State, c)
	})
	if err == nil {
		s.followUp(ctx, id, r, out.Events)
	}
	return out, err
}

func stale() error {
	return domain.Reject(domain.StaleRevision, "the resource is not at the revision of If-Match")
}

func (s *Service) onMember(ctx context.Context, id domain.StaffID, r Request, c staff.Command) (StaffOutcome, error) {
	return s.members.Execute(ctx, string(id), r, func(v View[staff.State]) ([]staff.Event, error) {
		if r.IfMatch != nil && *r.IfMatch != v.Revision {
			return nil, stale()
		}
		return staff.Decide(v.State, c)
	})
}

// begin detaches a flow from its caller's patience and gives it its own bound.
func begin(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), flowTimeout)
}

// messageID names the message of a request.
func messageID(r Request) string { return uuid.NewSHA1(r.ID, []byte("message")).String() }
