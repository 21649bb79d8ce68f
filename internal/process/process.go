// Package process runs the process managers: they follow the log and see to what no caller is there for. One offers waiting
// sessions to agents and ends what has run out of time (domain/routing); one keeps slots and watches in step with
// sessions, accounts and profiles, and cleans up after a process that died between two streams (domain/slots).
//
// What they demand is decided in domain and carried out through internal/command. Delivery is at least once: a command
// derives its identity from the event that led to it, and every command is decided on the present state, so that a
// repetition appends nothing. A process's state is a fold of the log, stored now and then beside its position; what was
// not stored is folded again.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Process is one process manager. It is called by one goroutine at a time.
type Process interface {
	// Name is a stored identity: of the handler, and of the snapshot.
	Name() string
	// Filter selects the events that it follows.
	Filter() eventstore.Filter
	// Consume takes an event into the state and carries out what it demands. An event may come more than once.
	Consume(ctx context.Context, e eventcodec.Envelope) error
	// Sweep carries out what is due at a time. It is called only when the state stands at the end of the log.
	Sweep(ctx context.Context, now time.Time) error
	// Snapshot and Restore put the state into a form that can be stored, and back.
	Snapshot() (json.RawMessage, error)
	Restore(json.RawMessage) error
}

// carrier is what the processes share.
type carrier struct {
	service *command.Service
	log     *slog.Logger
	now     func() time.Time
}

// follow makes the request of a command that an event led to. The same event and name give the same request.
func (c carrier) follow(e eventcodec.Envelope, name string) command.Request {
	return command.Request{
		ID: uuid.NewSHA1(e.ID, []byte(name)), Hash: "process", Actor: domain.System,
		CorrelationID: e.Metadata.CorrelationID, CausationID: e.ID.String(), At: c.now(),
	}
}

// timed makes the request of a command that the clock led to.
func (c carrier) timed() command.Request {
	return command.Request{ID: uuid.New(), Actor: domain.System, At: c.now()}
}

// settled drops a rejection: what the process wanted is no longer called for. Other errors are for trying again.
func (c carrier) settled(ctx context.Context, what string, err error) error {
	if rejection, ok := errors.AsType[*domain.Rejection](err); ok {
		c.log.DebugContext(ctx, "a process's command was refused", "command", what, "code", string(rejection.Code))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
