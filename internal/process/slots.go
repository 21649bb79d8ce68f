package process

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/chatwatch/chatwatch/domain/slots"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

type keeper struct {
	carrier
	state *slots.State
	alive time.Time
}

// NewSlots is the process that keeps slots and watches in step with sessions, accounts and profiles. Alive is when the only
// process that appends to the store was started, zero when there are several.
func NewSlots(service *command.Service, log *slog.Logger, now func() time.Time, alive time.Time) Process {
	return &keeper{carrier{service, log, now}, slots.NewState(), alive}
}

func (p *keeper) Name() string { return "slots" }

func (p *keeper) Filter() eventstore.Filter {
	return eventstore.Filter{
		StreamPrefixes: []string{eventcodec.SessionPrefix, eventcodec.StaffPrefix, eventcodec.ProfilePrefix},
		Types: []string{
			"SessionQueued", "SessionOffered", "OfferDeclined", "OfferExpired", "AgentJoined",
			"SupervisorStartedMonitoring", "SupervisorStoppedMonitoring", "SessionTransferred", "SessionConcluded",
			"StaffRegistered", "ProfileAssigned", "StaffLoggedOut", "SlotReserved", "SlotReleased", "ProfileChanged",
		},
	}
}

func (p *keeper) Consume(ctx context.Context, e eventcodec.Envelope) error {
	fact := slots.Fact{SessionID: e.SessionID(), At: e.Metadata.OccurredAt, Event: e.Event}
	for _, c := range slots.React(p.state, fact) {
		if err := p.carryOut(ctx, c, func(name string) command.Request { return p.follow(e, name) }); err != nil {
			return err
		}
	}
	slots.Evolve(p.state, fact)
	return nil
}

func (p *keeper) Sweep(ctx context.Context, now time.Time) error {
	var errs []error
	for _, c := range p.state.Due(now, p.alive) {
		errs = append(errs, p.carryOut(ctx, c, func(string) command.Request { return p.timed() }))
	}
	return errors.Join(errs...)
}

func (p *keeper) carryOut(ctx context.Context, c slots.Command, request func(name string) command.Request) error {
	switch c := c.(type) {
	case slots.Recheck:
		r := request("recheck " + string(c.SessionID) + " " + string(c.StaffID))
		return p.settled(ctx, "recheck a watch", p.service.Recheck(ctx, r, c.SessionID, c.StaffID))
	case slots.Return:
		r := request("return " + c.ReservationID)
		return p.settled(ctx, "release a slot", p.service.Release(ctx, r, c.StaffID, c.SessionID, c.ReservationID))
	case slots.Compare:
		r := request("compare " + string(c.SessionID) + " " + string(c.StaffID))
		return p.settled(ctx, "compare a slot", p.service.Settle(ctx, r, c.SessionID, c.StaffID))
	default:
		return nil
	}
}

func (p *keeper) Snapshot() (json.RawMessage, error) { return json.Marshal(p.state.Snapshot()) }

func (p *keeper) Restore(stored json.RawMessage) error {
	var snapshot slots.Snapshot
	if err := json.Unmarshal(stored, &snapshot); err != nil {
		return err
	}
	p.state = slots.Restore(snapshot)
	return nil
}
