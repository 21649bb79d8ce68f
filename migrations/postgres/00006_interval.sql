-- +goose Up

CREATE TABLE fact_queue_segment (
    segment_key      bigint      NOT NULL,
    session_key      bigint      NOT NULL,
    queue_id         text        NOT NULL,
    queue_name       text        NOT NULL,
    service_level_ms bigint      NOT NULL,
    enqueued_at      timestamptz NOT NULL,
    dequeued_at      timestamptz,
    wait_ms          bigint,
    outcome          text,
    in_target        boolean     NOT NULL,
    agent_id         text,
    span             bigint,
    CONSTRAINT fact_queue_segment_pk PRIMARY KEY (segment_key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_queue_segment_open ON fact_queue_segment (session_key) WHERE dequeued_at IS NULL;
CREATE INDEX fact_queue_segment_live ON fact_queue_segment (queue_id, enqueued_at) WHERE dequeued_at IS NULL;
CREATE INDEX fact_queue_segment_by_session ON fact_queue_segment (session_key, dequeued_at);
CREATE INDEX fact_queue_segment_enqueued ON fact_queue_segment USING brin (enqueued_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX fact_queue_segment_by_span ON fact_queue_segment (span, enqueued_at);

COMMENT ON TABLE fact_queue_segment IS 'Waits in a queue, one row each.';
COMMENT ON COLUMN fact_queue_segment.segment_key IS 'Position in the log of the event that began it: grows with time.';
COMMENT ON COLUMN fact_queue_segment.session_key IS 'Of fact_session.';
COMMENT ON COLUMN fact_queue_segment.queue_id IS 'Of dim_queue.';
COMMENT ON COLUMN fact_queue_segment.queue_name IS 'As it was.';
COMMENT ON COLUMN fact_queue_segment.service_level_ms IS 'The queue''s target of the wait in milliseconds, as it was.';
COMMENT ON COLUMN fact_queue_segment.enqueued_at IS 'Time at which the wait began.';
COMMENT ON COLUMN fact_queue_segment.dequeued_at IS 'Time at which the wait ended; NULL while it lasts.';
COMMENT ON COLUMN fact_queue_segment.wait_ms IS 'dequeued_at - enqueued_at in milliseconds; NULL while it lasts.';
COMMENT ON COLUMN fact_queue_segment.outcome IS 'answered (an agent accepted), assigned (given to an agent by somebody else), abandoned, short_abandoned, transferred or closed; NULL while it lasts.';
COMMENT ON COLUMN fact_queue_segment.in_target IS 'Whether it was answered within the target; false while it lasts.';
COMMENT ON COLUMN fact_queue_segment.agent_id IS 'Staff id of who answered or was assigned; NULL when nobody was.';
COMMENT ON COLUMN fact_queue_segment.span IS 'Class of duration, 0 to 11: class k lasted less than 4^k minutes, 11 any longer; NULL while it lasts. For finding what went on at a time.';

CREATE TABLE fact_agent_leg (
    leg_key     bigint      NOT NULL,
    session_key bigint      NOT NULL,
    agent_id    text        NOT NULL,
    agent_name  text        NOT NULL,
    queue_id    text        NOT NULL,
    assigned    boolean     NOT NULL,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    closed_at   timestamptz,
    engaged_ms  bigint,
    wrap_up_ms  bigint,
    end_reason  text,
    span        bigint,
    CONSTRAINT fact_agent_leg_pk PRIMARY KEY (leg_key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_agent_leg_open ON fact_agent_leg (session_key) WHERE closed_at IS NULL;
CREATE INDEX fact_agent_leg_live ON fact_agent_leg (queue_id, ended_at) WHERE closed_at IS NULL;
CREATE INDEX fact_agent_leg_by_agent ON fact_agent_leg (agent_id, started_at);
CREATE INDEX fact_agent_leg_started ON fact_agent_leg USING brin (started_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX fact_agent_leg_by_span ON fact_agent_leg (span, started_at);

COMMENT ON TABLE fact_agent_leg IS 'Time that agents spent on sessions: one row each time an agent takes or gets a session.';
COMMENT ON COLUMN fact_agent_leg.leg_key IS 'Position in the log of the event that began it: grows with time.';
COMMENT ON COLUMN fact_agent_leg.session_key IS 'Of fact_session.';
COMMENT ON COLUMN fact_agent_leg.agent_id IS 'Staff id, of dim_staff.';
COMMENT ON COLUMN fact_agent_leg.agent_name IS 'As it was.';
COMMENT ON COLUMN fact_agent_leg.queue_id IS 'Of the session at the time, of dim_queue.';
COMMENT ON COLUMN fact_agent_leg.assigned IS 'Whether somebody else gave the session to the agent; false when the agent accepted it.';
COMMENT ON COLUMN fact_agent_leg.started_at IS 'Time at which the agent came.';
COMMENT ON COLUMN fact_agent_leg.ended_at IS 'Time at which the agent''s conversation ended; NULL while it lasts.';
COMMENT ON COLUMN fact_agent_leg.closed_at IS 'Time at which the wrap-up was done too; NULL while the agent has work on it.';
COMMENT ON COLUMN fact_agent_leg.engaged_ms IS 'ended_at - started_at in milliseconds; NULL while it lasts.';
COMMENT ON COLUMN fact_agent_leg.wrap_up_ms IS 'closed_at - ended_at in milliseconds, 0 without a wrap-up; NULL while the agent has work on it.';
COMMENT ON COLUMN fact_agent_leg.end_reason IS 'agent, customer_left, closed or transferred; NULL while it lasts.';
COMMENT ON COLUMN fact_agent_leg.span IS 'Class of duration from started_at to closed_at, 0 to 11: class k lasted less than 4^k minutes, 11 any longer; NULL while the agent has work on it. For finding what went on at a time.';

CREATE TABLE fact_monitoring (
    monitoring_key   bigint      NOT NULL,
    session_key      bigint      NOT NULL,
    session_id       text        NOT NULL,
    supervisor_id    text        NOT NULL,
    supervisor_name  text        NOT NULL,
    queue_id         text        NOT NULL,
    agent_id         text        NOT NULL,
    agent_name       text        NOT NULL,
    reason           text,
    started_at       timestamptz NOT NULL,
    joined_at        timestamptz,
    ended_at         timestamptz,
    end_reason       text,
    watched_ms       bigint,
    private_messages bigint      NOT NULL,
    public_messages  bigint      NOT NULL,
    span             bigint,
    CONSTRAINT fact_monitoring_pk PRIMARY KEY (monitoring_key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_monitoring_open ON fact_monitoring (session_key) WHERE ended_at IS NULL;
CREATE INDEX fact_monitoring_by_session ON fact_monitoring (session_id, monitoring_key);
CREATE INDEX fact_monitoring_by_supervisor ON fact_monitoring (supervisor_id, monitoring_key);
CREATE INDEX fact_monitoring_by_queue ON fact_monitoring (queue_id, monitoring_key);
CREATE INDEX fact_monitoring_by_span ON fact_monitoring (span, started_at);

COMMENT ON TABLE fact_monitoring IS 'Who watched whom, when and why: one row each monitoring.';
COMMENT ON COLUMN fact_monitoring.monitoring_key IS 'Position in the log of the event that began it: grows with time.';
COMMENT ON COLUMN fact_monitoring.session_key IS 'Of fact_session.';
COMMENT ON COLUMN fact_monitoring.session_id IS 'As everybody else knows the session.';
COMMENT ON COLUMN fact_monitoring.supervisor_id IS 'Staff id of who watched, of dim_staff.';
COMMENT ON COLUMN fact_monitoring.supervisor_name IS 'As it was.';
COMMENT ON COLUMN fact_monitoring.queue_id IS 'Of the session when it began, of dim_queue.';
COMMENT ON COLUMN fact_monitoring.agent_id IS 'Staff id of the agent when it began, of dim_staff.';
COMMENT ON COLUMN fact_monitoring.agent_name IS 'As it was.';
COMMENT ON COLUMN fact_monitoring.reason IS 'As the supervisor gave it; NULL when they gave none.';
COMMENT ON COLUMN fact_monitoring.started_at IS 'Time at which it began.';
COMMENT ON COLUMN fact_monitoring.joined_at IS 'Time at which the supervisor joined; NULL when they only watched.';
COMMENT ON COLUMN fact_monitoring.ended_at IS 'Time at which it ended; NULL while it lasts.';
COMMENT ON COLUMN fact_monitoring.end_reason IS 'left, session_ended, logged_out, permission_lost, queue_not_in_profile, became_agent or slot_lost; NULL while it lasts.';
COMMENT ON COLUMN fact_monitoring.watched_ms IS 'ended_at - started_at in milliseconds; NULL while it lasts.';
COMMENT ON COLUMN fact_monitoring.private_messages IS 'Of the supervisor meanwhile.';
COMMENT ON COLUMN fact_monitoring.public_messages IS 'Of the supervisor meanwhile.';
COMMENT ON COLUMN fact_monitoring.span IS 'Class of duration, 0 to 11: class k lasted less than 4^k minutes, 11 any longer; NULL while it lasts. For finding what went on at a time.';
