-- The Queue Snapshot of a past instant. Times are given out in milliseconds: what happened within one belongs to it.

CREATE OR REPLACE FUNCTION queue_snapshot_at(instant timestamptz) RETURNS SETOF queue_snapshot
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH clock AS (
        SELECT date_trunc('milliseconds', instant) + interval '999 microseconds' AS until
    ), waits AS MATERIALIZED (
        SELECT s.session_key, s.queue_id, s.enqueued_at, s.outcome, s.in_target FROM clock AS c, queue_segment_at(c.until) AS s
    ), legs AS (
        SELECT l.session_key, l.queue_id, coalesce(l.ended_at > c.until, true) AS engaged FROM clock AS c, agent_leg_at(c.until) AS l
    ), watches AS (
        SELECT m.session_key FROM clock AS c, monitoring_at(c.until) AS m
    ), open_session AS (
        SELECT s.queue_id, count(s.enqueued_at) AS waiting, min(s.enqueued_at) AS oldest, count(*) FILTER (WHERE s.engaged) AS engaged,
               count(*) FILTER (WHERE NOT s.engaged) AS in_wrap_up,
               count(*) FILTER (WHERE s.session_key IN (SELECT session_key FROM watches)) AS monitored
        FROM (SELECT session_key, queue_id, enqueued_at, NULL AS engaged FROM waits
              UNION ALL
              SELECT session_key, queue_id, NULL, engaged FROM legs) AS s
        GROUP BY s.queue_id
    ), slots AS (
        SELECT s.staff_id, count(*) AS in_use FROM clock AS c, slot_at(c.until) AS s GROUP BY s.staff_id
    ), members AS (
        SELECT p.profile_id, p.queues, count(*) AS logged_in, count(*) FILTER (WHERE f.status_type = 'available') AS available,
               sum(greatest(0, p.max_sessions - coalesce(u.in_use, 0))) FILTER (WHERE f.status_type = 'available') AS idle
        FROM clock AS c CROSS JOIN staff_status_at(c.until) AS f
        LEFT JOIN dim_staff AS d ON d.staff_id = f.staff_id AND d.valid_from <= c.until AND (d.valid_to > c.until OR d.valid_to IS NULL)
        JOIN dim_profile AS p ON p.profile_id = coalesce(d.profile_id, f.profile_id)
                             AND p.valid_from <= c.until AND (p.valid_to > c.until OR p.valid_to IS NULL)
        LEFT JOIN slots AS u ON u.staff_id = f.staff_id
        GROUP BY p.profile_id, p.queues
    ), duty AS (
        SELECT q.queue_id, sum(m.logged_in)::bigint AS logged_in, sum(m.available)::bigint AS available, sum(m.idle)::bigint AS idle
        FROM members AS m CROSS JOIN LATERAL jsonb_array_elements_text(m.queues::jsonb) AS q (queue_id) GROUP BY q.queue_id
    ), today AS (
        -- The quarters that were over, without what came of their waits later, and the quarter that went on.
        SELECT d.queue_id, sum(d.offered)::bigint AS offered, sum(d.answered)::bigint AS answered,
               sum(d.answered_in_target)::bigint AS answered_in_target, sum(d.abandoned)::bigint AS abandoned,
               sum(d.short_abandoned)::bigint AS short_abandoned
        FROM (SELECT a.queue_id, a.offered, a.answered, a.answered_in_target, a.abandoned, a.short_abandoned
              FROM agg_queue_15m AS a
              WHERE a.bucket_at >= date_trunc('day', instant, 'UTC') AND a.bucket_at < date_bin('15 minutes', instant, 'epoch')
              UNION ALL
              SELECT w.queue_id, 0, -(w.outcome = 'answered')::integer, -w.in_target::integer,
                     -(w.outcome = 'abandoned')::integer, -(w.outcome = 'short_abandoned')::integer
              FROM waits AS w
              WHERE w.enqueued_at >= date_trunc('day', instant, 'UTC') AND w.enqueued_at < date_bin('15 minutes', instant, 'epoch')
              UNION ALL
              SELECT s.queue_id, 1, (s.outcome = 'answered' AND s.dequeued_at <= c.until)::integer,
                     (s.in_target AND s.dequeued_at <= c.until)::integer, (s.outcome = 'abandoned' AND s.dequeued_at <= c.until)::integer,
                     (s.outcome = 'short_abandoned' AND s.dequeued_at <= c.until)::integer
              FROM clock AS c JOIN fact_queue_segment AS s
                  ON s.enqueued_at >= date_bin('15 minutes', instant, 'epoch') AND s.enqueued_at <= c.until) AS d
        GROUP BY d.queue_id
    )
    SELECT q.queue_id, q.name, coalesce(s.waiting, 0), ms_between(s.oldest, instant), coalesce(s.engaged, 0),
           coalesce(s.in_wrap_up, 0), coalesce(s.monitored, 0), coalesce(d.logged_in, 0), coalesce(d.available, 0),
           coalesce(d.idle, 0), q.service_level_ms, CAST(t.answered_in_target AS double precision) / nullif(t.offered, 0),
           coalesce(t.offered, 0), coalesce(t.answered, 0), coalesce(t.answered_in_target, 0), coalesce(t.abandoned, 0),
           coalesce(t.short_abandoned, 0), alert_level(ms_between(s.oldest, instant), q.service_level_ms)
    FROM clock AS c
    JOIN dim_queue AS q ON q.valid_from <= c.until AND (q.valid_to > c.until OR q.valid_to IS NULL)
    LEFT JOIN open_session AS s ON s.queue_id = q.queue_id
    LEFT JOIN duty AS d ON d.queue_id = q.queue_id
    LEFT JOIN today AS t ON t.queue_id = q.queue_id;
END;

COMMENT ON FUNCTION queue_snapshot_at(timestamptz) IS 'What went on in each queue at a past instant, in the columns of queue_snapshot. Queues, profiles and members are as they were.';

-- Reads transcripts for the calls for help that were open, and shows nothing of them; who calls it need not be allowed to.
CREATE OR REPLACE FUNCTION queue_snapshot_agent_at(instant timestamptz) RETURNS SETOF queue_snapshot_agent
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off SET enable_nestloop = off
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH clock AS (
        SELECT date_trunc('milliseconds', instant) + interval '999 microseconds' AS until
    ), slots AS (
        SELECT s.staff_id, count(*) AS in_use FROM clock AS c, slot_at(c.until) AS s GROUP BY s.staff_id
    ), queues AS (
        SELECT q.queue_id
        FROM clock AS c JOIN dim_queue AS q ON q.valid_from <= c.until AND (q.valid_to > c.until OR q.valid_to IS NULL)
    ), profiles AS (
        SELECT p.profile_id, p.max_sessions
        FROM clock AS c JOIN dim_profile AS p ON p.valid_from <= c.until AND (p.valid_to > c.until OR p.valid_to IS NULL)
        WHERE EXISTS (SELECT FROM jsonb_array_elements_text(p.queues::jsonb) AS s (queue_id) JOIN queues AS q ON q.queue_id = s.queue_id)
    ), engaged AS (
        SELECT l.agent_id, min(l.started_at) AS oldest,
               bool_or(CASE WHEN (SELECT s.help_requests FROM fact_session_step AS s WHERE s.session_key = l.session_key) > 0 THEN (
                   SELECT e.event_type = 'HelpRequested' FROM transcript_entry AS e
                   WHERE e.session_key = l.session_key AND e.occurred_at <= c.until
                     AND e.event_type IN ('HelpRequested', 'HelpResolved', 'SessionTransferred', 'SessionConcluded')
                   ORDER BY e.revision DESC LIMIT 1) END) AS help
        FROM clock AS c CROSS JOIN agent_leg_at(c.until) AS l
        JOIN queues AS q ON q.queue_id = l.queue_id
        WHERE l.ended_at > c.until OR l.ended_at IS NULL
        GROUP BY l.agent_id
    )
    SELECT f.staff_id, coalesce(d.name, f.staff_name), f.status, f.status_type, ms_between(f.started_at, instant), coalesce(u.in_use, 0),
           p.max_sessions, greatest(0, p.max_sessions - coalesce(u.in_use, 0)), ms_between(e.oldest, instant), coalesce(e.help, false)
    FROM clock AS c CROSS JOIN staff_status_at(c.until) AS f
    LEFT JOIN dim_staff AS d ON d.staff_id = f.staff_id AND d.valid_from <= c.until AND (d.valid_to > c.until OR d.valid_to IS NULL)
    JOIN profiles AS p ON p.profile_id = coalesce(d.profile_id, f.profile_id)
    LEFT JOIN slots AS u ON u.staff_id = f.staff_id
    LEFT JOIN engaged AS e ON e.agent_id = f.staff_id;
END;

COMMENT ON FUNCTION queue_snapshot_agent_at(timestamptz) IS 'What each member on duty did at a past instant, in the columns of queue_snapshot_agent. Queues, profiles and members are as they were.';
