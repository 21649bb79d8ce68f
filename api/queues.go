package api

import (
	"net/http"
	"net/url"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/internal/command"
)

type queueBody struct {
	QueueID                *string             `json:"queue_id,omitempty" doc:"May be sent back as it was read"`
	Name                   *string             `json:"name,omitempty" doc:"The id when left out"`
	ServiceLevelMS         *domain.Millis      `json:"service_level_ms,omitempty" doc:"Target for the wait; 30000"`
	ShortAbandonMS         *domain.Millis      `json:"short_abandon_ms,omitempty" doc:"Who leaves sooner is counted apart; 5000"`
	AnnounceSupervisorJoin bool                `json:"announce_supervisor_join,omitempty" doc:"Tell the customer of a join"`
	AgentPrivateReply      *queue.PrivateReply `json:"agent_private_reply,omitempty" enum:"after_join,always" doc:"after_join"`
	OfferTimeoutMS         *domain.Millis      `json:"offer_timeout_ms,omitempty" doc:"How long an offer stands; 30000"`
	WrapUpMS               *domain.Millis      `json:"wrap_up_ms,omitempty" doc:"Time to finish after the end; 0 for none"`
}

func (b queueBody) settings(id string) queue.Settings {
	return queue.Settings{
		Name: given(b.Name, id), ServiceLevelMS: given(b.ServiceLevelMS, queue.DefaultServiceLevel),
		ShortAbandonMS:         given(b.ShortAbandonMS, queue.DefaultShortAbandon),
		AnnounceSupervisorJoin: b.AnnounceSupervisorJoin,
		AgentPrivateReply:      given(b.AgentPrivateReply, queue.AfterJoin),
		OfferTimeoutMS:         given(b.OfferTimeoutMS, queue.DefaultOfferTimeout), WrapUpMS: given(b.WrapUpMS, 0),
	}
}

// given is what was sent, or the default.
func given[T any](sent *T, otherwise T) T {
	if sent == nil {
		return otherwise
	}
	return *sent
}

type queueResource struct {
	QueueID                domain.QueueID     `json:"queue_id"`
	Name                   string             `json:"name"`
	ServiceLevelMS         domain.Millis      `json:"service_level_ms"`
	ShortAbandonMS         domain.Millis      `json:"short_abandon_ms"`
	AnnounceSupervisorJoin bool               `json:"announce_supervisor_join"`
	AgentPrivateReply      queue.PrivateReply `json:"agent_private_reply"`
	OfferTimeoutMS         domain.Millis      `json:"offer_timeout_ms"`
	WrapUpMS               domain.Millis      `json:"wrap_up_ms"`
}

func showQueue(id domain.QueueID, s queue.Settings) queueResource {
	return queueResource{
		QueueID: id, Name: s.Name, ServiceLevelMS: s.ServiceLevelMS, ShortAbandonMS: s.ShortAbandonMS,
		AnnounceSupervisorJoin: s.AnnounceSupervisorJoin, AgentPrivateReply: s.AgentPrivateReply,
		OfferTimeoutMS: s.OfferTimeoutMS, WrapUpMS: s.WrapUpMS,
	}
}

// param is a parameter of the path as the caller meant it.
func (c *call) param(name string) string {
	value := c.echo.Param(name)
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

func putQueue(c *call) (*reply, error) {
	id := c.param("id")
	var b queueBody
	if err := c.decode(&b); err != nil {
		return nil, err
	}
	if b.QueueID != nil && *b.QueueID != id {
		return nil, invalid("queue_id is not the one of the path")
	}
	if !domain.ValidID(id) {
		return nil, invalid("the queue id is not of the form [a-z0-9][a-z0-9._-]{0,63}")
	}
	r, err := c.request("queue " + id)
	if err != nil {
		return nil, err
	}
	if err := c.mustExist(func() (bool, error) {
		v, err := c.Service.Queue(c.ctx(), domain.QueueID(id))
		return v.State.Defined, err
	}); err != nil {
		return nil, err
	}
	out, err := c.Service.DefineQueue(c.ctx(), r, domain.QueueID(id), b.settings(id))
	if err != nil {
		return nil, err
	}
	return configured(out, showQueue(domain.QueueID(id), out.State.Settings)), nil
}

// mustExist keeps "If-Match: *", which asks for a resource that is there.
func (c *call) mustExist(exists func() (bool, error)) error {
	if c.http.Header.Get("If-Match") != "*" {
		return nil
	}
	there, err := exists()
	if err == nil && !there {
		err = stale()
	}
	return err
}

// configured answers a PUT: 201 when it made the resource, at the first time and when it is sent again.
func configured[S, E any](out command.Outcome[S, E], body any) *reply {
	r := &reply{body: body, etag: etag(out.Revision), position: out.Done.Position, wrote: true, replayed: out.Replayed}
	if out.Done.Revision == 0 && (out.Replayed || len(out.Events) > 0) {
		r.status = http.StatusCreated
	}
	return r
}

func getQueue(c *call) (*reply, error) {
	id := domain.QueueID(c.param("id"))
	if !domain.ValidID(string(id)) {
		return nil, errNotFound("queue")
	}
	v, err := c.Service.Queue(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	if !v.State.Defined {
		return nil, errNotFound("queue")
	}
	return c.versioned(showQueue(id, v.State.Settings), etag(v.Revision)), nil
}

// versioned answers with a resource, or that the caller holds it already.
func (c *call) versioned(body any, tag string) *reply {
	if c.notModified(tag) {
		return &reply{status: http.StatusNotModified, etag: tag}
	}
	return &reply{body: body, etag: tag}
}
