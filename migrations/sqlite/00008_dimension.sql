-- Queues and profiles get a row for each version of them. The rows of before know the last one only, so the tables are made
-- anew, and the projection is taken back to the start of the log: it fills them when it runs next.

-- +goose Up

DROP VIEW dim_profile_queue;
DROP TABLE dim_profile;
DROP TABLE dim_queue;
DELETE FROM parked_event WHERE projection = 'directory';
UPDATE checkpoint SET position = 0 WHERE name = 'directory';

-- Queues, as they are and as they were: one row a version. Versions follow each other without a gap.
CREATE TABLE dim_queue (
    queue_id                 TEXT NOT NULL,     -- given by the administrator
    revision                 INTEGER NOT NULL,  -- of the event in the queue's stream that began the version
    name                     TEXT NOT NULL,     -- for people
    service_level_ms         INTEGER NOT NULL,  -- target of the wait: an answer within it counts towards the service level
    short_abandon_ms         INTEGER NOT NULL,  -- who leaves sooner is counted apart
    announce_supervisor_join INTEGER NOT NULL,  -- boolean: the customer is told when a supervisor joins
    agent_private_reply      TEXT NOT NULL,     -- after_join or always: when an agent may write privately
    offer_timeout_ms         INTEGER NOT NULL,  -- how long an agent has to accept
    wrap_up_ms               INTEGER NOT NULL,  -- how long an agent has after the end; 0 for no wrap-up
    defined_at               INTEGER NOT NULL,  -- time of the first definition
    valid_from               INTEGER NOT NULL,  -- time from which this version holds
    valid_to                 INTEGER,           -- time at which the next one began; NULL: it holds now
    is_current               INTEGER NOT NULL,  -- boolean: it holds now
    CONSTRAINT dim_queue_pk PRIMARY KEY (queue_id, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX dim_queue_current ON dim_queue (queue_id) WHERE is_current;

-- Profiles, as they are and as they were: what their members may do, and how much at a time. One row a version, as above.
CREATE TABLE dim_profile (
    profile_id     TEXT NOT NULL,     -- given by the administrator
    revision       INTEGER NOT NULL,  -- of the event in the profile's stream that began the version
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
    valid_from     INTEGER NOT NULL,  -- time from which this version holds
    valid_to       INTEGER,           -- time at which the next one began; NULL: it holds now
    is_current     INTEGER NOT NULL,  -- boolean: it holds now
    CONSTRAINT dim_profile_pk PRIMARY KEY (profile_id, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX dim_profile_current ON dim_profile (profile_id) WHERE is_current;

-- Which queues a version of a profile serves, one row each; rank 1 comes first.
CREATE VIEW dim_profile_queue AS
SELECT p.profile_id, p.revision, q.value AS queue_id, q.key + 1 AS rank, p.valid_from, p.valid_to, p.is_current
FROM dim_profile AS p, json_each(p.queues) AS q;
