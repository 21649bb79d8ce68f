package process

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/domain/routing"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// offersAtOnce bounds how many offers are made side by side.
const offersAtOnce = 8

type router struct {
	carrier
	state *routing.State
}

// NewRouting is the process that offers waiting sessions to agents, and ends offers and wrap-ups in time.
func NewRouting(service *command.Service, log *slog.Logger, now func() time.Time) Process {
	return &router{carrier{service, log, now}, routing.NewState()}
}

func (p *router) Name() string { return "routing" }

func (p *router) Filter() eventstore.Filter {
	return eventstore.Filter{
		StreamPrefixes: []string{eventcodec.SessionPrefix, eventcodec.StaffPrefix, eventcodec.ProfilePrefix},
		Types: []string{
			"SessionRequested", "SessionQueued", "SessionOffered", "OfferDeclined", "OfferExpired", "AgentJoined",
			"SessionAbandoned", "SessionConcluded", "WrapUpCompleted",
			"StaffRegistered", "ProfileAssigned", "StaffLoggedIn", "StaffLoggedOut", "StaffStatusChanged",
			"SlotReserved", "SlotReleased", "ProfileDefined", "ProfileChanged",
		},
	}
}

func (p *router) Consume(_ context.Context, e eventcodec.Envelope) error {
	routing.Evolve(p.state, routing.Fact{SessionID: e.SessionID(), At: e.Metadata.OccurredAt, Event: e.Event})
	return nil
}

func (p *router) Sweep(ctx context.Context, now time.Time) error {
	var errs []error
	for _, c := range p.state.Due(now) {
		errs = append(errs, p.carryOut(ctx, c))
	}
	return errors.Join(append(errs, p.offer(ctx, p.state.Plan(now)))...)
}

func (p *router) carryOut(ctx context.Context, c routing.Command) error {
	switch c := c.(type) {
	case routing.Withdraw:
		return p.settled(ctx, "withdraw an offer", p.service.ExpireOffer(ctx, p.timed(), c.SessionID, c.ReservationID))
	case routing.EndWrapUp:
		return p.settled(ctx, "end a wrap-up", p.service.EndWrapUp(ctx, p.timed(), c.SessionID))
	default:
		return nil
	}
}

// offer makes the planned offers. Those that came about are taken into the picture at once, so that the next plan does not
// make them again before their events come back.
func (p *router) offer(ctx context.Context, offers []routing.Offer) error {
	made := make([]bool, len(offers))
	var group errgroup.Group
	group.SetLimit(offersAtOnce)
	for i, o := range offers {
		group.Go(func() error {
			_, err := p.service.Offer(ctx, p.timed(), o.SessionID, o.StaffID)
			made[i] = err == nil
			return p.settled(ctx, "offer a session", err)
		})
	}
	err := group.Wait()
	for i, o := range offers {
		if made[i] {
			p.state.Assume(o)
		}
	}
	return err
}

func (p *router) Snapshot() (json.RawMessage, error) { return json.Marshal(p.state) }

func (p *router) Restore(stored json.RawMessage) error {
	var state routing.State
	if err := json.Unmarshal(stored, &state); err != nil {
		return err
	}
	p.state = routing.Restore(state)
	return nil
}
