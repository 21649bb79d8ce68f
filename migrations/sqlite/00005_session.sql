-- +goose Up

-- Sessions: what changes with a step in their life. Read fact_session, which adds what changes with every message.
CREATE TABLE fact_session_step (
    session_key          INTEGER NOT NULL,  -- position of the session's first event in the log: grows with time
    session_id           TEXT NOT NULL,     -- as everybody else knows it
    customer_name        TEXT NOT NULL,     -- as the customer gave it
    customer_email       TEXT,              -- as the customer gave it
    requested_at         INTEGER NOT NULL,  -- time
    requested_queue_id   TEXT NOT NULL,     -- queue that was asked for
    queue_id             TEXT NOT NULL,     -- present or last queue
    queue_name           TEXT NOT NULL,     -- as it was called when the session entered it
    state                TEXT NOT NULL,     -- queued, offered, engaged, wrap_up, concluded or abandoned
    state_since          INTEGER NOT NULL,  -- time; for engaged, of the present agent's coming
    queued_at            INTEGER NOT NULL,  -- time at which the present or last wait began
    offered_to_id        TEXT,              -- staff id of the agent who has an offer
    offer_reservation_id TEXT,              -- slot of that agent
    offer_expires_at     INTEGER,           -- time until which that agent can accept
    agent_id             TEXT,              -- staff id of the present or last agent; NULL while none has it
    agent_name           TEXT,              -- as it was
    engaged_at           INTEGER,           -- time at which the first agent came
    ended_at             INTEGER,           -- time at which the conversation ended
    completed_at         INTEGER,           -- time at which the wrap-up was done too; NULL while there is something to do
    wrap_up_until        INTEGER,           -- time at which the wrap-up ends by itself
    wait_ms              INTEGER NOT NULL,  -- sum over the waits that are over, abandoned ones included
    segments             INTEGER NOT NULL,  -- how often the session entered a queue
    offers               INTEGER NOT NULL,  -- how often it was offered
    declines             INTEGER NOT NULL,  -- how often an offer was declined
    expiries             INTEGER NOT NULL,  -- how often an offer was withdrawn
    legs                 INTEGER NOT NULL,  -- how many times an agent took it or got it
    transfers            INTEGER NOT NULL,  -- how often it was transferred
    engaged_ms           INTEGER NOT NULL,  -- sum over agents who have left it
    wrap_up_ms           INTEGER NOT NULL,  -- sum
    first_response_ms    INTEGER,           -- first public message of an agent − requested
    help_requested_at    INTEGER,           -- time of the call for help that is open
    help_requests        INTEGER NOT NULL,  -- calls for help
    helped               INTEGER NOT NULL,  -- calls that a supervisor answered
    time_to_help_ms      INTEGER NOT NULL,  -- sum over the answered calls: first private message or join − call
    watches              INTEGER NOT NULL,  -- how often a supervisor began to watch
    short_abandon        INTEGER NOT NULL,  -- boolean: abandoned sooner than the queue's threshold
    end_reason           TEXT,              -- agent, customer_left, closed or abandoned
    disposition          TEXT,              -- as the agent gave it
    CONSTRAINT fact_session_pk PRIMARY KEY (session_key),
    CONSTRAINT fact_session_id UNIQUE (session_id)
) STRICT;

CREATE INDEX fact_session_open ON fact_session_step (queue_id, session_key) WHERE completed_at IS NULL;
CREATE INDEX fact_session_offered ON fact_session_step (offered_to_id, session_key) WHERE offered_to_id IS NOT NULL;
CREATE INDEX fact_session_by_queue ON fact_session_step (queue_id, session_key);
CREATE INDEX fact_session_by_agent ON fact_session_step (agent_id, session_key);

-- Sessions: what changes with every message. Narrow, because it is written most.
CREATE TABLE fact_session_activity (
    session_key              INTEGER NOT NULL,  -- of fact_session_step
    revision                 INTEGER NOT NULL,  -- of the last event in the session's stream
    messages                 INTEGER NOT NULL,  -- public messages
    customer_messages        INTEGER NOT NULL,  -- public messages of the customer
    agent_messages           INTEGER NOT NULL,  -- public messages of agents
    supervisor_messages      INTEGER NOT NULL,  -- public messages of supervisors
    private_messages         INTEGER NOT NULL,  -- messages between staff
    last_customer_message_at INTEGER,           -- time
    last_agent_message_at    INTEGER,           -- time of the last public message of an agent
    CONSTRAINT fact_session_activity_pk PRIMARY KEY (session_key)
) STRICT;

-- Sessions, one row each. Columns as above.
CREATE VIEW fact_session AS
SELECT s.session_key, s.session_id, s.customer_name, s.customer_email, s.requested_at, s.requested_queue_id, s.queue_id,
       s.queue_name, s.state, s.state_since, s.queued_at, s.offered_to_id, s.offer_expires_at, s.agent_id, s.agent_name,
       s.engaged_at, s.ended_at, s.completed_at, s.wrap_up_until, s.wait_ms, s.segments, s.offers, s.declines, s.expiries,
       s.legs, s.transfers, s.engaged_ms, s.wrap_up_ms, s.first_response_ms, s.help_requested_at, s.help_requests, s.helped,
       s.time_to_help_ms, s.watches, s.short_abandon, s.end_reason, s.disposition,
       a.messages, a.customer_messages, a.agent_messages, a.supervisor_messages, a.private_messages,
       a.last_customer_message_at, a.last_agent_message_at
FROM fact_session_step AS s JOIN fact_session_activity AS a ON a.session_key = s.session_key;

-- Waits in a queue, one row each.
CREATE TABLE fact_queue_segment (
    segment_key      INTEGER NOT NULL,  -- position of the event that began it
    session_key      INTEGER NOT NULL,  -- of fact_session
    queue_id         TEXT NOT NULL,     -- of dim_queue
    queue_name       TEXT NOT NULL,     -- as it was
    service_level_ms INTEGER NOT NULL,  -- the queue's target, as it was
    enqueued_at      INTEGER NOT NULL,  -- time
    dequeued_at      INTEGER,           -- time; NULL while it lasts
    wait_ms          INTEGER,           -- dequeued − enqueued
    outcome          TEXT,              -- answered (an agent accepted), assigned (given to an agent by somebody else),
                                        -- abandoned, short_abandoned, transferred or closed
    in_target        INTEGER NOT NULL,  -- boolean: answered within the target
    agent_id         TEXT,              -- staff id of who answered or was assigned
    CONSTRAINT fact_queue_segment_pk PRIMARY KEY (segment_key)
) STRICT;

CREATE INDEX fact_queue_segment_by_session ON fact_queue_segment (session_key, dequeued_at);
CREATE INDEX fact_queue_segment_enqueued ON fact_queue_segment (enqueued_at);
CREATE INDEX fact_queue_segment_dequeued ON fact_queue_segment (dequeued_at);

-- Time that agents spent on sessions: one row each time an agent takes or gets a session.
CREATE TABLE fact_agent_leg (
    leg_key     INTEGER NOT NULL,  -- position of the event that began it
    session_key INTEGER NOT NULL,  -- of fact_session
    agent_id    TEXT NOT NULL,     -- staff id
    agent_name  TEXT NOT NULL,     -- as it was
    queue_id    TEXT NOT NULL,     -- of the session at the time
    assigned    INTEGER NOT NULL,  -- boolean: somebody else gave it to the agent
    started_at  INTEGER NOT NULL,  -- time
    ended_at    INTEGER,           -- time at which the agent's conversation ended; NULL while it lasts
    closed_at   INTEGER,           -- time at which the wrap-up was done too; NULL while the agent has work on it
    engaged_ms  INTEGER,           -- ended − started
    wrap_up_ms  INTEGER,           -- closed − ended
    end_reason  TEXT,              -- agent, customer_left, closed or transferred
    CONSTRAINT fact_agent_leg_pk PRIMARY KEY (leg_key)
) STRICT;

CREATE INDEX fact_agent_leg_open ON fact_agent_leg (session_key) WHERE closed_at IS NULL;
CREATE INDEX fact_agent_leg_closed ON fact_agent_leg (closed_at);
CREATE INDEX fact_agent_leg_by_agent ON fact_agent_leg (agent_id, started_at);

-- Who watched whom, when and why: one row each monitoring.
CREATE TABLE fact_monitoring (
    monitoring_key   INTEGER NOT NULL,  -- position of the event that began it: grows with time
    session_key      INTEGER NOT NULL,  -- of fact_session
    session_id       TEXT NOT NULL,     -- as everybody else knows it
    supervisor_id    TEXT NOT NULL,     -- staff id of who watched
    supervisor_name  TEXT NOT NULL,     -- as it was
    queue_id         TEXT NOT NULL,     -- of the session when it began
    agent_id         TEXT NOT NULL,     -- staff id of the agent when it began
    agent_name       TEXT NOT NULL,     -- as it was
    reason           TEXT,              -- as the supervisor gave it
    started_at       INTEGER NOT NULL,  -- time
    joined_at        INTEGER,           -- time at which the supervisor joined; NULL when they only watched
    ended_at         INTEGER,           -- time; NULL while it lasts
    end_reason       TEXT,              -- left, session_ended, logged_out, permission_lost, queue_not_in_profile, became_agent
                                        -- or slot_lost
    watched_ms       INTEGER,           -- ended − started
    private_messages INTEGER NOT NULL,  -- of the supervisor meanwhile
    public_messages  INTEGER NOT NULL,  -- of the supervisor meanwhile
    CONSTRAINT fact_monitoring_pk PRIMARY KEY (monitoring_key)
) STRICT;

CREATE INDEX fact_monitoring_open ON fact_monitoring (session_key) WHERE ended_at IS NULL;
CREATE INDEX fact_monitoring_ended ON fact_monitoring (ended_at);
CREATE INDEX fact_monitoring_by_session ON fact_monitoring (session_id, monitoring_key);
CREATE INDEX fact_monitoring_by_supervisor ON fact_monitoring (supervisor_id, monitoring_key);
CREATE INDEX fact_monitoring_by_queue ON fact_monitoring (queue_id, monitoring_key);

-- Queues by quarter of an hour. Every number stands in the quarter in which the wait began, so that rates never exceed one.
CREATE TABLE agg_queue_15m (
    queue_id           TEXT NOT NULL,     -- of dim_queue
    bucket_at          INTEGER NOT NULL,  -- time at which the quarter begins
    offered            INTEGER NOT NULL,  -- waits that began
    answered           INTEGER NOT NULL,  -- an agent accepted
    answered_in_target INTEGER NOT NULL,  -- within the queue's target; service level = this / offered
    assigned           INTEGER NOT NULL,  -- given to an agent by somebody else
    transferred        INTEGER NOT NULL,  -- moved away while waiting
    closed             INTEGER NOT NULL,  -- closed by staff while waiting
    abandoned          INTEGER NOT NULL,  -- the customer left, not sooner than the threshold
    short_abandoned    INTEGER NOT NULL,  -- the customer left sooner than the threshold
    answered_wait_ms   INTEGER NOT NULL,  -- sum of the waits of answered; / answered = average speed of answer
    abandoned_wait_ms  INTEGER NOT NULL,  -- sum of the waits of abandoned and short_abandoned
    CONSTRAINT agg_queue_15m_pk PRIMARY KEY (queue_id, bucket_at)
) STRICT, WITHOUT ROWID;
