-- +goose Up

CREATE TABLE agg_queue_15m (
    queue_id           text        NOT NULL,
    bucket_at          timestamptz NOT NULL,
    offered            bigint      NOT NULL,
    answered           bigint      NOT NULL,
    answered_in_target bigint      NOT NULL,
    assigned           bigint      NOT NULL,
    transferred        bigint      NOT NULL,
    closed             bigint      NOT NULL,
    abandoned          bigint      NOT NULL,
    short_abandoned    bigint      NOT NULL,
    answered_wait_ms   bigint      NOT NULL,
    abandoned_wait_ms  bigint      NOT NULL,
    handled            bigint      NOT NULL,
    engaged_ms         bigint      NOT NULL,
    wrap_up_ms         bigint      NOT NULL,
    responded          bigint      NOT NULL,
    first_response_ms  bigint      NOT NULL,
    helped             bigint      NOT NULL,
    time_to_help_ms    bigint      NOT NULL,
    CONSTRAINT agg_queue_15m_pk PRIMARY KEY (queue_id, bucket_at)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX agg_queue_15m_by_bucket ON agg_queue_15m (bucket_at);

COMMENT ON TABLE agg_queue_15m IS 'Queues by quarter of an hour (UTC). Every number stands in the quarter in which what it counts began, so that rates never exceed one; rows of the last hours still grow. All numbers can be added up over queues and time.';
COMMENT ON COLUMN agg_queue_15m.queue_id IS 'Of dim_queue.';
COMMENT ON COLUMN agg_queue_15m.bucket_at IS 'Time at which the quarter begins.';
COMMENT ON COLUMN agg_queue_15m.offered IS 'Waits that began in the quarter.';
COMMENT ON COLUMN agg_queue_15m.answered IS 'Of offered: an agent accepted.';
COMMENT ON COLUMN agg_queue_15m.answered_in_target IS 'Of answered: within the queue''s target; this / offered is the service level.';
COMMENT ON COLUMN agg_queue_15m.assigned IS 'Of offered: given to an agent by somebody else.';
COMMENT ON COLUMN agg_queue_15m.transferred IS 'Of offered: moved away while waiting.';
COMMENT ON COLUMN agg_queue_15m.closed IS 'Of offered: closed by staff while waiting.';
COMMENT ON COLUMN agg_queue_15m.abandoned IS 'Of offered: the customer left, not sooner than the threshold.';
COMMENT ON COLUMN agg_queue_15m.short_abandoned IS 'Of offered: the customer left sooner than the threshold.';
COMMENT ON COLUMN agg_queue_15m.answered_wait_ms IS 'Milliseconds, sum of the waits of answered; this / answered is the average speed of answer.';
COMMENT ON COLUMN agg_queue_15m.abandoned_wait_ms IS 'Milliseconds, sum of the waits of abandoned and short_abandoned.';
COMMENT ON COLUMN agg_queue_15m.handled IS 'Legs of agents that began in the quarter and are closed.';
COMMENT ON COLUMN agg_queue_15m.engaged_ms IS 'Milliseconds, sum of the conversations of handled.';
COMMENT ON COLUMN agg_queue_15m.wrap_up_ms IS 'Milliseconds, sum of the wrap-ups of handled; (engaged_ms + this) / handled is the average handle time.';
COMMENT ON COLUMN agg_queue_15m.responded IS 'Sessions requested in the quarter, of the queue requested, that got a first public message of an agent.';
COMMENT ON COLUMN agg_queue_15m.first_response_ms IS 'Milliseconds, sum over responded from the request to that message.';
COMMENT ON COLUMN agg_queue_15m.helped IS 'Calls for help made in the quarter that a supervisor answered.';
COMMENT ON COLUMN agg_queue_15m.time_to_help_ms IS 'Milliseconds, sum over helped from the call to the first private message or join of a supervisor.';

CREATE TABLE agent_handling_15m (
    agent_id   text        NOT NULL,
    bucket_at  timestamptz NOT NULL,
    answered   bigint      NOT NULL,
    assigned   bigint      NOT NULL,
    handled    bigint      NOT NULL,
    engaged_ms bigint      NOT NULL,
    wrap_up_ms bigint      NOT NULL,
    CONSTRAINT agent_handling_15m_pk PRIMARY KEY (agent_id, bucket_at)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX agent_handling_15m_by_bucket ON agent_handling_15m (bucket_at);

COMMENT ON TABLE agent_handling_15m IS 'What agents handled, by quarter of an hour (UTC) in which the leg began; read it through agg_agent_15m.';
COMMENT ON COLUMN agent_handling_15m.agent_id IS 'Staff id, of dim_staff.';
COMMENT ON COLUMN agent_handling_15m.bucket_at IS 'Time at which the quarter begins.';
COMMENT ON COLUMN agent_handling_15m.answered IS 'Sessions that the agent accepted in the quarter.';
COMMENT ON COLUMN agent_handling_15m.assigned IS 'Sessions that somebody else gave to the agent in the quarter.';
COMMENT ON COLUMN agent_handling_15m.handled IS 'Of answered and assigned: legs that are closed.';
COMMENT ON COLUMN agent_handling_15m.engaged_ms IS 'Milliseconds, sum of the conversations of handled.';
COMMENT ON COLUMN agent_handling_15m.wrap_up_ms IS 'Milliseconds, sum of the wrap-ups of handled.';
