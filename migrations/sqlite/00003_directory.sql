-- +goose Up

-- Queues, as they are now.
CREATE TABLE dim_queue (
    queue_id                 TEXT NOT NULL,     -- given by the administrator
    name                     TEXT NOT NULL,     -- for people
    service_level_ms         INTEGER NOT NULL,  -- target of the wait: an answer within it counts towards the service level
    short_abandon_ms         INTEGER NOT NULL,  -- who leaves sooner is counted apart
    announce_supervisor_join INTEGER NOT NULL,  -- boolean: the customer is told when a supervisor joins
    agent_private_reply      TEXT NOT NULL,     -- after_join or always: when an agent may write privately
    offer_timeout_ms         INTEGER NOT NULL,  -- how long an agent has to accept
    wrap_up_ms               INTEGER NOT NULL,  -- how long an agent has after the end; 0 for no wrap-up
    defined_at               INTEGER NOT NULL,  -- time of the first definition
    valid_from               INTEGER NOT NULL,  -- time from which this row holds
    revision                 INTEGER NOT NULL,  -- of the last event in the queue's stream
    CONSTRAINT dim_queue_pk PRIMARY KEY (queue_id)
) STRICT, WITHOUT ROWID;

-- Profiles, as they are now: what their members may do, and how much at a time.
CREATE TABLE dim_profile (
    profile_id     TEXT NOT NULL,     -- given by the administrator
    name           TEXT NOT NULL,     -- for people
    chat           INTEGER NOT NULL,  -- boolean: may log in to chat
    supervisor     INTEGER NOT NULL,  -- boolean: sees the snapshot, moves and closes sessions
    monitor        INTEGER NOT NULL,  -- boolean: may watch sessions; needs supervisor
    max_sessions   INTEGER NOT NULL,  -- sessions that one member can hold at a time
    queues         TEXT NOT NULL,     -- JSON array of queue ids, by rank
    pull_policy    TEXT NOT NULL,     -- first_due or strict_priority
    allow_decline  INTEGER NOT NULL,  -- boolean: members may decline offers
    receive_offers INTEGER NOT NULL,  -- boolean: sessions are offered to members by themselves
    defined_at     INTEGER NOT NULL,  -- time of the first definition
    valid_from     INTEGER NOT NULL,  -- time from which this row holds
    revision       INTEGER NOT NULL,  -- of the last event in the profile's stream
    CONSTRAINT dim_profile_pk PRIMARY KEY (profile_id)
) STRICT, WITHOUT ROWID;

-- Which queues a profile serves, one row each.
CREATE VIEW dim_profile_queue AS
SELECT p.profile_id, q.value AS queue_id, q.key + 1 AS rank FROM dim_profile AS p, json_each(p.queues) AS q;
