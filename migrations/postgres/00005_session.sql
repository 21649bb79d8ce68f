-- +goose Up

CREATE TABLE fact_session_step (
    session_key          bigint      NOT NULL,
    session_id           text        NOT NULL,
    customer_name        text        NOT NULL,
    customer_email       text,
    requested_at         timestamptz NOT NULL,
    requested_queue_id   text        NOT NULL,
    queue_id             text        NOT NULL,
    queue_name           text        NOT NULL,
    state                text        NOT NULL,
    state_since          timestamptz NOT NULL,
    queued_at            timestamptz NOT NULL,
    offered_to_id        text,
    offer_reservation_id text,
    offer_expires_at     timestamptz,
    agent_id             text,
    agent_name           text,
    engaged_at           timestamptz,
    ended_at             timestamptz,
    completed_at         timestamptz,
    wrap_up_until        timestamptz,
    wait_ms              bigint      NOT NULL,
    segments             bigint      NOT NULL,
    offers               bigint      NOT NULL,
    declines             bigint      NOT NULL,
    expiries             bigint      NOT NULL,
    legs                 bigint      NOT NULL,
    transfers            bigint      NOT NULL,
    engaged_ms           bigint      NOT NULL,
    wrap_up_ms           bigint      NOT NULL,
    first_response_ms    bigint,
    help_requested_at    timestamptz,
    help_requests        bigint      NOT NULL,
    helped               bigint      NOT NULL,
    time_to_help_ms      bigint      NOT NULL,
    watches              bigint      NOT NULL,
    short_abandon        boolean     NOT NULL,
    end_reason           text,
    disposition          text,
    CONSTRAINT fact_session_pk PRIMARY KEY (session_key),
    CONSTRAINT fact_session_id UNIQUE (session_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_session_open ON fact_session_step (queue_id, session_key) WHERE completed_at IS NULL;
CREATE INDEX fact_session_offered ON fact_session_step (offered_to_id, session_key) WHERE offered_to_id IS NOT NULL;
CREATE INDEX fact_session_by_queue ON fact_session_step (queue_id, session_key);
CREATE INDEX fact_session_by_agent ON fact_session_step (agent_id, session_key);
CREATE INDEX fact_session_requested ON fact_session_step USING brin (requested_at) WITH (pages_per_range = 32, autosummarize = on);

COMMENT ON TABLE fact_session_step IS 'Sessions: what changes with a step in their life. Read fact_session, which adds what changes with every message.';
COMMENT ON COLUMN fact_session_step.session_key IS 'Position of the session''s first event in the log: grows with time.';
COMMENT ON COLUMN fact_session_step.session_id IS 'As everybody else knows the session.';
COMMENT ON COLUMN fact_session_step.customer_name IS 'As the customer gave it.';
COMMENT ON COLUMN fact_session_step.customer_email IS 'As the customer gave it; NULL when they gave none.';
COMMENT ON COLUMN fact_session_step.requested_at IS 'Time at which the customer asked for a chat.';
COMMENT ON COLUMN fact_session_step.requested_queue_id IS 'Queue that was asked for, of dim_queue.';
COMMENT ON COLUMN fact_session_step.queue_id IS 'Present or last queue, of dim_queue.';
COMMENT ON COLUMN fact_session_step.queue_name IS 'As it was called when the session entered it.';
COMMENT ON COLUMN fact_session_step.state IS 'queued, offered, engaged, wrap_up, concluded or abandoned.';
COMMENT ON COLUMN fact_session_step.state_since IS 'Time at which the state began; for engaged, of the present agent''s coming.';
COMMENT ON COLUMN fact_session_step.queued_at IS 'Time at which the present or last wait began.';
COMMENT ON COLUMN fact_session_step.offered_to_id IS 'Staff id of the agent who has an offer; NULL when nobody has.';
COMMENT ON COLUMN fact_session_step.offer_reservation_id IS 'Slot of that agent; NULL when nobody has an offer.';
COMMENT ON COLUMN fact_session_step.offer_expires_at IS 'Time until which that agent can accept; NULL when nobody has an offer.';
COMMENT ON COLUMN fact_session_step.agent_id IS 'Staff id of the present or last agent; NULL while none has it.';
COMMENT ON COLUMN fact_session_step.agent_name IS 'As it was; NULL while no agent has it.';
COMMENT ON COLUMN fact_session_step.engaged_at IS 'Time at which the first agent came; NULL when none came yet.';
COMMENT ON COLUMN fact_session_step.ended_at IS 'Time at which the conversation ended; NULL while it lasts.';
COMMENT ON COLUMN fact_session_step.completed_at IS 'Time at which the wrap-up was done too; NULL while there is something to do.';
COMMENT ON COLUMN fact_session_step.wrap_up_until IS 'Time at which the wrap-up ends by itself; NULL when there is or was none.';
COMMENT ON COLUMN fact_session_step.wait_ms IS 'Milliseconds, sum over the waits that are over, abandoned ones included.';
COMMENT ON COLUMN fact_session_step.segments IS 'How often the session entered a queue.';
COMMENT ON COLUMN fact_session_step.offers IS 'How often the session was offered to an agent.';
COMMENT ON COLUMN fact_session_step.declines IS 'How often an offer was declined.';
COMMENT ON COLUMN fact_session_step.expiries IS 'How often an offer was withdrawn.';
COMMENT ON COLUMN fact_session_step.legs IS 'How many times an agent took the session or got it.';
COMMENT ON COLUMN fact_session_step.transfers IS 'How often the session was transferred.';
COMMENT ON COLUMN fact_session_step.engaged_ms IS 'Milliseconds, sum over the agents who have left it.';
COMMENT ON COLUMN fact_session_step.wrap_up_ms IS 'Milliseconds, sum over the wrap-ups that are done.';
COMMENT ON COLUMN fact_session_step.first_response_ms IS 'Milliseconds from the request to the first public message of an agent; NULL while there is none.';
COMMENT ON COLUMN fact_session_step.help_requested_at IS 'Time of the agent''s call for help that is open; NULL when none is.';
COMMENT ON COLUMN fact_session_step.help_requests IS 'How often the agents called for help.';
COMMENT ON COLUMN fact_session_step.helped IS 'Calls for help that a supervisor answered.';
COMMENT ON COLUMN fact_session_step.time_to_help_ms IS 'Milliseconds, sum over the answered calls: from the call to the first private message or join of a supervisor.';
COMMENT ON COLUMN fact_session_step.watches IS 'How often a supervisor began to watch.';
COMMENT ON COLUMN fact_session_step.short_abandon IS 'Whether the customer left sooner than the queue''s threshold.';
COMMENT ON COLUMN fact_session_step.end_reason IS 'agent, customer_left, closed or abandoned; NULL while the conversation lasts.';
COMMENT ON COLUMN fact_session_step.disposition IS 'As the agent gave it; NULL when none was given.';

CREATE TABLE fact_session_activity (
    session_key              bigint NOT NULL,
    revision                 bigint NOT NULL,
    messages                 bigint NOT NULL,
    customer_messages        bigint NOT NULL,
    agent_messages           bigint NOT NULL,
    supervisor_messages      bigint NOT NULL,
    private_messages         bigint NOT NULL,
    last_customer_message_at timestamptz,
    last_agent_message_at    timestamptz,
    CONSTRAINT fact_session_activity_pk PRIMARY KEY (session_key)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

COMMENT ON TABLE fact_session_activity IS 'Sessions: what changes with every message. Narrow, because it is written most. Read fact_session.';
COMMENT ON COLUMN fact_session_activity.session_key IS 'Of fact_session.';
COMMENT ON COLUMN fact_session_activity.revision IS 'Of the last event in the session''s stream, from 0; internal, it counts what others see.';
COMMENT ON COLUMN fact_session_activity.messages IS 'Public messages.';
COMMENT ON COLUMN fact_session_activity.customer_messages IS 'Public messages of the customer.';
COMMENT ON COLUMN fact_session_activity.agent_messages IS 'Public messages of agents.';
COMMENT ON COLUMN fact_session_activity.supervisor_messages IS 'Public messages of supervisors.';
COMMENT ON COLUMN fact_session_activity.private_messages IS 'Messages between staff.';
COMMENT ON COLUMN fact_session_activity.last_customer_message_at IS 'Time of the customer''s last message; NULL when they wrote none.';
COMMENT ON COLUMN fact_session_activity.last_agent_message_at IS 'Time of the last public message of an agent; NULL when none wrote.';
