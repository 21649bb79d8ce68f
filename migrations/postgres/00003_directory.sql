-- +goose Up

CREATE TABLE dim_queue (
    queue_id                 text        NOT NULL,
    revision                 bigint      NOT NULL,
    name                     text        NOT NULL,
    service_level_ms         bigint      NOT NULL,
    short_abandon_ms         bigint      NOT NULL,
    announce_supervisor_join boolean     NOT NULL,
    agent_private_reply      text        NOT NULL,
    offer_timeout_ms         bigint      NOT NULL,
    wrap_up_ms               bigint      NOT NULL,
    defined_at               timestamptz NOT NULL,
    valid_from               timestamptz NOT NULL,
    valid_to                 timestamptz,
    is_current               boolean     NOT NULL,
    CONSTRAINT dim_queue_pk PRIMARY KEY (queue_id, revision)
);

CREATE INDEX dim_queue_current ON dim_queue (queue_id) WHERE is_current;

COMMENT ON TABLE dim_queue IS 'Queues, one row for each version of their settings (slowly changing dimension of type 2). For the present join queue_id AND is_current; for the settings of a time, queue_id AND valid_from <= time AND (valid_to > time OR valid_to IS NULL).';
COMMENT ON COLUMN dim_queue.queue_id IS 'Given by the administrator.';
COMMENT ON COLUMN dim_queue.revision IS 'Of the event in the queue''s stream that began the version, from 0.';
COMMENT ON COLUMN dim_queue.name IS 'For people.';
COMMENT ON COLUMN dim_queue.service_level_ms IS 'Target of the wait in milliseconds: an answer within it counts towards the service level.';
COMMENT ON COLUMN dim_queue.short_abandon_ms IS 'Milliseconds: who leaves sooner is counted apart; 0 when nobody is.';
COMMENT ON COLUMN dim_queue.announce_supervisor_join IS 'Whether the customer is told when a supervisor joins.';
COMMENT ON COLUMN dim_queue.agent_private_reply IS 'after_join or always: when an agent may write privately.';
COMMENT ON COLUMN dim_queue.offer_timeout_ms IS 'Milliseconds that an agent has to accept an offer.';
COMMENT ON COLUMN dim_queue.wrap_up_ms IS 'Milliseconds that an agent has after the end of a conversation; 0 for no wrap-up.';
COMMENT ON COLUMN dim_queue.defined_at IS 'Time of the first definition of the queue.';
COMMENT ON COLUMN dim_queue.valid_from IS 'Time from which the version holds.';
COMMENT ON COLUMN dim_queue.valid_to IS 'Time until which the version held, exclusive; NULL while it holds.';
COMMENT ON COLUMN dim_queue.is_current IS 'Whether this is the version that holds now; true for one row of each queue.';

CREATE TABLE dim_profile (
    profile_id     text        NOT NULL,
    revision       bigint      NOT NULL,
    name           text        NOT NULL,
    chat           boolean     NOT NULL,
    supervisor     boolean     NOT NULL,
    monitor        boolean     NOT NULL,
    max_sessions   bigint      NOT NULL,
    queues         text        NOT NULL,
    pull_policy    text        NOT NULL,
    allow_decline  boolean     NOT NULL,
    receive_offers boolean     NOT NULL,
    defined_at     timestamptz NOT NULL,
    valid_from     timestamptz NOT NULL,
    valid_to       timestamptz,
    is_current     boolean     NOT NULL,
    CONSTRAINT dim_profile_pk PRIMARY KEY (profile_id, revision)
);

CREATE INDEX dim_profile_current ON dim_profile (profile_id) WHERE is_current;

COMMENT ON TABLE dim_profile IS 'Profiles, one row for each version (slowly changing dimension of type 2): what their members may do, and how much at a time.';
COMMENT ON COLUMN dim_profile.profile_id IS 'Given by the administrator.';
COMMENT ON COLUMN dim_profile.revision IS 'Of the event in the profile''s stream that began the version, from 0.';
COMMENT ON COLUMN dim_profile.name IS 'For people.';
COMMENT ON COLUMN dim_profile.chat IS 'Whether members may log in to chat.';
COMMENT ON COLUMN dim_profile.supervisor IS 'Whether members see the snapshot, move and close sessions.';
COMMENT ON COLUMN dim_profile.monitor IS 'Whether members may watch sessions; needs supervisor.';
COMMENT ON COLUMN dim_profile.max_sessions IS 'Sessions that one member can hold at a time.';
COMMENT ON COLUMN dim_profile.queues IS 'JSON array of queue ids, by rank; see dim_profile_queue.';
COMMENT ON COLUMN dim_profile.pull_policy IS 'first_due or strict_priority: which of the waiting sessions is offered first.';
COMMENT ON COLUMN dim_profile.allow_decline IS 'Whether members may decline offers.';
COMMENT ON COLUMN dim_profile.receive_offers IS 'Whether sessions are offered to members by themselves.';
COMMENT ON COLUMN dim_profile.defined_at IS 'Time of the first definition of the profile.';
COMMENT ON COLUMN dim_profile.valid_from IS 'Time from which the version holds.';
COMMENT ON COLUMN dim_profile.valid_to IS 'Time until which the version held, exclusive; NULL while it holds.';
COMMENT ON COLUMN dim_profile.is_current IS 'Whether this is the version that holds now; true for one row of each profile.';
