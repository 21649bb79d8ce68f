-- Stretches of time get the class of their length, and the aggregates get handle times, first responses, help and agents. None
-- of that can be told from the rows of before, so tables are made anew or emptied, and the projection is taken back to the
-- start of the log: it fills them when it runs next.

-- +goose Up

DROP VIEW fact_session;
DROP TABLE fact_queue_segment;
DROP TABLE fact_agent_leg;
DROP TABLE fact_monitoring;
DROP TABLE agg_queue_15m;
DELETE FROM fact_session_step;
DELETE FROM fact_session_activity;
DELETE FROM parked_event WHERE projection = 'sessions';
UPDATE checkpoint SET position = 0 WHERE name = 'sessions';

-- The column of the condition comes first, or the index of all sessions of a queue would seem to be as good.
DROP INDEX fact_session_open;
CREATE INDEX fact_session_open ON fact_session_step (completed_at, queue_id, session_key) WHERE completed_at IS NULL;

-- Sessions, one row each, without what customers say of themselves. Columns as in the two tables; incomplete is a boolean:
-- there are events of the session that could not be taken in (parked_event), so its numbers, or its transcript, lack something.
CREATE VIEW fact_session AS
SELECT s.session_key, s.session_id, s.requested_at, s.requested_queue_id, s.queue_id, s.queue_name,
       s.state, s.state_since, s.queued_at, s.offered_to_id, s.offer_expires_at, s.agent_id, s.agent_name,
       s.engaged_at, s.ended_at, s.completed_at, s.wrap_up_until, s.wait_ms, s.segments, s.offers, s.declines, s.expiries,
       s.legs, s.transfers, s.engaged_ms, s.wrap_up_ms, s.first_response_ms, s.help_requested_at, s.help_requests, s.helped,
       s.time_to_help_ms, s.watches, s.short_abandon, s.end_reason, s.disposition,
       a.messages, a.customer_messages, a.agent_messages, a.supervisor_messages, a.private_messages,
       a.last_customer_message_at, a.last_agent_message_at,
       s.session_id IN (SELECT substr(p.stream, 9) FROM parked_event AS p WHERE p.stream LIKE 'session-%') AS incomplete
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
    span             INTEGER,           -- class of dequeued − enqueued: the least k with less than 4^k minutes, 11 at most
    CONSTRAINT fact_queue_segment_pk PRIMARY KEY (segment_key)
) STRICT;

CREATE INDEX fact_queue_segment_by_session ON fact_queue_segment (session_key, dequeued_at);
CREATE INDEX fact_queue_segment_enqueued ON fact_queue_segment (enqueued_at);
CREATE INDEX fact_queue_segment_span ON fact_queue_segment (span, enqueued_at);

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
    span        INTEGER,           -- class of closed − started: the least k with less than 4^k minutes, 11 at most
    CONSTRAINT fact_agent_leg_pk PRIMARY KEY (leg_key)
) STRICT;

CREATE INDEX fact_agent_leg_open ON fact_agent_leg (session_key) WHERE closed_at IS NULL;
CREATE INDEX fact_agent_leg_span ON fact_agent_leg (span, started_at);
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
    span             INTEGER,           -- class of ended − started: the least k with less than 4^k minutes, 11 at most
    CONSTRAINT fact_monitoring_pk PRIMARY KEY (monitoring_key)
) STRICT;

CREATE INDEX fact_monitoring_open ON fact_monitoring (session_key) WHERE ended_at IS NULL;
CREATE INDEX fact_monitoring_watching ON fact_monitoring (ended_at, supervisor_id) WHERE ended_at IS NULL;
CREATE INDEX fact_monitoring_span ON fact_monitoring (span, started_at);
CREATE INDEX fact_monitoring_by_session ON fact_monitoring (session_id, monitoring_key);
CREATE INDEX fact_monitoring_by_supervisor ON fact_monitoring (supervisor_id, monitoring_key);
CREATE INDEX fact_monitoring_by_queue ON fact_monitoring (queue_id, monitoring_key);

-- Queues by quarter of an hour. Every number stands in the quarter in which what it counts began, whenever it ended: a wait,
-- a turn of an agent, a request or a call for help. So rates never exceed one.
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
    handled            INTEGER NOT NULL,  -- turns of agents (fact_agent_leg) that began, and are closed
    engaged_ms         INTEGER NOT NULL,  -- sum over these
    wrap_up_ms         INTEGER NOT NULL,  -- sum over these; (engaged_ms + wrap_up_ms) / handled = handle time
    responded          INTEGER NOT NULL,  -- sessions that were requested of this queue, and got a public message of an agent
    first_response_ms  INTEGER NOT NULL,  -- sum over these of the first one's time − requested
    helped             INTEGER NOT NULL,  -- calls for help that were made, and that a supervisor answered
    time_to_help_ms    INTEGER NOT NULL,  -- sum over these: first private message or join − call
    CONSTRAINT agg_queue_15m_pk PRIMARY KEY (queue_id, bucket_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX agg_queue_15m_by_quarter ON agg_queue_15m (bucket_at);

-- What agents did with sessions, by quarter of an hour: turns (fact_agent_leg) in the quarter in which they began.
CREATE TABLE agent_handling_15m (
    agent_id   TEXT NOT NULL,     -- staff id
    bucket_at  INTEGER NOT NULL,  -- time at which the quarter begins
    answered   INTEGER NOT NULL,  -- turns that began because the agent accepted
    assigned   INTEGER NOT NULL,  -- turns that somebody else gave to the agent
    handled    INTEGER NOT NULL,  -- turns that are closed
    engaged_ms INTEGER NOT NULL,  -- sum over the closed ones
    wrap_up_ms INTEGER NOT NULL,  -- sum over the closed ones; (engaged_ms + wrap_up_ms) / handled = handle time
    CONSTRAINT agent_handling_15m_pk PRIMARY KEY (agent_id, bucket_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_handling_15m_by_quarter ON agent_handling_15m (bucket_at);

-- Agents by quarter of an hour: what they did with sessions, and how their time passed. Columns as in agent_handling_15m, whose
-- numbers stand where a turn began, and agent_time_15m, whose numbers stand where the time passed.
CREATE VIEW agg_agent_15m AS
SELECT agent_id, bucket_at, CAST(sum(answered) AS bigint) AS answered, CAST(sum(assigned) AS bigint) AS assigned,
       CAST(sum(handled) AS bigint) AS handled, CAST(sum(engaged_ms) AS bigint) AS engaged_ms,
       CAST(sum(wrap_up_ms) AS bigint) AS wrap_up_ms, CAST(sum(logged_in_ms) AS bigint) AS logged_in_ms,
       CAST(sum(available_ms) AS bigint) AS available_ms, CAST(sum(busy_ms) AS bigint) AS busy_ms,
       CAST(sum(session_ms) AS bigint) AS session_ms, CAST(sum(idle_ms) AS bigint) AS idle_ms,
       CAST(sum(monitoring_ms) AS bigint) AS monitoring_ms
FROM (SELECT agent_id, bucket_at, answered, assigned, handled, engaged_ms, wrap_up_ms,
             0 AS logged_in_ms, 0 AS available_ms, 0 AS busy_ms, 0 AS session_ms, 0 AS idle_ms, 0 AS monitoring_ms
      FROM agent_handling_15m
      UNION ALL
      SELECT agent_id, bucket_at, 0, 0, 0, 0, 0, logged_in_ms, available_ms, busy_ms, session_ms, idle_ms, monitoring_ms
      FROM agent_time_15m) AS both_parts
GROUP BY agent_id, bucket_at;
