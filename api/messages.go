package api

import (
	"fmt"
	"net/http"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

type messageBody struct {
	Visibility session.Visibility `json:"visibility" enum:"public,private"`
	Text       string             `json:"text" doc:"At most 32 KiB"`
}

// messageResource is a message as its sender's transcript holds it.
type messageResource struct {
	MessageID string           `json:"message_id"`
	SessionID domain.SessionID `json:"session_id"`
	entry
	Revision int64 `json:"revision" doc:"Of the session, counting what the sender sees"`
}

func postMessage(c *call) (*reply, error) {
	id, err := c.sessionID()
	if err != nil {
		return nil, err
	}
	var b messageBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	r, err := c.request("session " + string(id))
	if err != nil {
		return nil, err
	}
	send := c.Service.SendAsStaff
	if c.is(domain.RoleCustomer) {
		send = c.Service.SendAsCustomer
	}
	sent, err := send(c.ctx(), r, id, b.Visibility, b.Text)
	if err != nil {
		return nil, err
	}
	v, err := c.look(sent.State)
	if err != nil && domain.CodeOf(err) != domain.Missing {
		return nil, err
	}
	var body messageResource
	if sent.Replayed {
		body, err = c.sentBefore(v, sent)
		if err != nil {
			return nil, err
		}
	} else {
		body = justSent(c, v, sent)
	}
	return &reply{
		status: http.StatusCreated, body: body, etag: etag(body.Revision),
		position: sent.Done.Position, wrote: true, replayed: sent.Replayed,
	}, nil
}

// justSent shows the message that was appended, first of what may have been appended with it.
func justSent(c *call, v view, sent command.Sent) messageResource {
	seq := v.Seen(v.reader)
	for _, e := range sent.Events[1:] {
		if v.reader.Sees(e) {
			seq--
		}
	}
	message := sent.Events[0]
	envelope := eventcodec.Envelope{Type: eventcodec.NameOf(message), Metadata: eventcodec.Metadata{OccurredAt: c.at}}
	return messageResource{
		MessageID: sent.MessageID, SessionID: v.ID, entry: showEntry(envelope, message, v.reader, seq), Revision: v.Revision(v.reader),
	}
}

// sentBefore finds the message of a request that is sent again, and gives it the number that it had.
func (c *call) sentBefore(v view, sent command.Sent) (messageResource, error) {
	var state session.State
	out := messageResource{MessageID: sent.MessageID, SessionID: v.ID}
	found := false
	err := c.replay(v.ID, func(e eventcodec.Envelope, event session.Event) bool {
		if int64(e.Revision) > sent.Done.Revision {
			return false
		}
		state = session.Evolve(state, event)
		if messageOf(event) == sent.MessageID {
			out.entry, found = showEntry(e, event, v.reader, state.Seen(v.reader)), true
		}
		return true
	})
	if err == nil && !found {
		err = fmt.Errorf("the message of a repeated request is not in its session")
	}
	out.Revision = state.Revision(v.reader)
	return out, err
}

// replay reads a session from its first event until next says no.
func (c *call) replay(id domain.SessionID, next func(eventcodec.Envelope, session.Event) bool) error {
	for recorded, err := range c.Store.ReadStream(c.ctx(), command.SessionStream(id), 0, eventstore.Forwards, 0) {
		if err != nil {
			return fmt.Errorf("replay a session: %w", err)
		}
		envelope, err := eventcodec.Decode(recorded)
		if err != nil {
			return fmt.Errorf("replay a session: %w", err)
		}
		event, ok := envelope.Event.(session.Event)
		if !ok {
			return fmt.Errorf("replay a session: %s does not belong there", envelope.Type)
		}
		if !next(envelope, event) {
			return nil
		}
	}
	return nil
}
