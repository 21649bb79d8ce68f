-- What went on at a past instant: the intervals that contained it. An interval of class k lasted less than 4^k minutes, so one
-- that contained the instant began within the last 4^k minutes before it: one range scan for each class. OFFSET 0 keeps the
-- planner from joining the classes any other way.

CREATE OR REPLACE FUNCTION span_window(instant timestamptz) RETURNS TABLE (span bigint, since timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 12
BEGIN ATOMIC
    SELECT k, CASE WHEN k < 11 THEN instant - make_interval(mins => 1 << (2 * k)::integer) ELSE '-infinity' END
    FROM generate_series(0::bigint, 11) AS k;
END;

COMMENT ON FUNCTION span_window(timestamptz) IS 'For each class of duration, the time after which an interval of the class began if it contained the instant.';

CREATE OR REPLACE FUNCTION queue_segment_at(instant timestamptz)
RETURNS TABLE (session_key bigint, queue_id text, queue_name text, enqueued_at timestamptz, outcome text, in_target boolean)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.session_key, f.queue_id, f.queue_name, f.enqueued_at, f.outcome, f.in_target
    FROM fact_queue_segment AS f WHERE f.dequeued_at IS NULL AND f.enqueued_at <= instant
    UNION ALL
    SELECT p.session_key, p.queue_id, p.queue_name, p.enqueued_at, p.outcome, p.in_target
    FROM span_window(instant) AS w CROSS JOIN LATERAL (
        SELECT f.session_key, f.queue_id, f.queue_name, f.enqueued_at, f.outcome, f.in_target FROM fact_queue_segment AS f
        WHERE f.span = w.span AND f.enqueued_at > w.since AND f.enqueued_at <= instant AND f.dequeued_at > instant
        OFFSET 0) AS p;
END;

COMMENT ON FUNCTION queue_segment_at(timestamptz) IS 'The waits that went on at an instant, with what came of them later.';

CREATE OR REPLACE FUNCTION agent_leg_at(instant timestamptz)
RETURNS TABLE (leg_key bigint, session_key bigint, agent_id text, agent_name text, queue_id text, started_at timestamptz, ended_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.leg_key, f.session_key, f.agent_id, f.agent_name, f.queue_id, f.started_at, f.ended_at
    FROM fact_agent_leg AS f WHERE f.closed_at IS NULL AND f.started_at <= instant
    UNION ALL
    SELECT p.leg_key, p.session_key, p.agent_id, p.agent_name, p.queue_id, p.started_at, p.ended_at
    FROM span_window(instant) AS w CROSS JOIN LATERAL (
        SELECT f.leg_key, f.session_key, f.agent_id, f.agent_name, f.queue_id, f.started_at, f.ended_at FROM fact_agent_leg AS f
        WHERE f.span = w.span AND f.started_at > w.since AND f.started_at <= instant AND f.closed_at > instant
        OFFSET 0) AS p;
END;

COMMENT ON FUNCTION agent_leg_at(timestamptz) IS 'The sessions with which agents were busy at an instant, wrap-ups included (ended_at is not after the instant).';

CREATE OR REPLACE FUNCTION monitoring_at(instant timestamptz)
RETURNS TABLE (monitoring_key bigint, session_key bigint, supervisor_id text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.monitoring_key, f.session_key, f.supervisor_id
    FROM fact_monitoring AS f WHERE f.ended_at IS NULL AND f.started_at <= instant
    UNION ALL
    SELECT p.monitoring_key, p.session_key, p.supervisor_id
    FROM span_window(instant) AS w CROSS JOIN LATERAL (
        SELECT f.monitoring_key, f.session_key, f.supervisor_id FROM fact_monitoring AS f
        WHERE f.span = w.span AND f.started_at > w.since AND f.started_at <= instant AND f.ended_at > instant
        OFFSET 0) AS p;
END;

COMMENT ON FUNCTION monitoring_at(timestamptz) IS 'The monitorings that went on at an instant.';

CREATE OR REPLACE FUNCTION staff_status_at(instant timestamptz)
RETURNS TABLE (staff_id text, staff_name text, profile_id text, status text, status_type text, started_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.staff_id, f.staff_name, f.profile_id, f.status, f.status_type, f.started_at
    FROM fact_staff_status AS f WHERE f.ended_at IS NULL AND f.started_at <= instant
    UNION ALL
    SELECT p.staff_id, p.staff_name, p.profile_id, p.status, p.status_type, p.started_at
    FROM span_window(instant) AS w CROSS JOIN LATERAL (
        SELECT f.staff_id, f.staff_name, f.profile_id, f.status, f.status_type, f.started_at FROM fact_staff_status AS f
        WHERE f.span = w.span AND f.started_at > w.since AND f.started_at <= instant AND f.ended_at > instant
        OFFSET 0) AS p;
END;

COMMENT ON FUNCTION staff_status_at(timestamptz) IS 'Who was on duty at an instant, in which status since when.';

CREATE OR REPLACE FUNCTION slot_at(instant timestamptz)
RETURNS TABLE (staff_id text, session_id text, purpose text, reserved_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT f.staff_id, f.session_id, f.purpose, f.reserved_at
    FROM fact_slot AS f WHERE f.released_at IS NULL AND f.reserved_at <= instant
    UNION ALL
    SELECT p.staff_id, p.session_id, p.purpose, p.reserved_at
    FROM span_window(instant) AS w CROSS JOIN LATERAL (
        SELECT f.staff_id, f.session_id, f.purpose, f.reserved_at FROM fact_slot AS f
        WHERE f.span = w.span AND f.reserved_at > w.since AND f.reserved_at <= instant AND f.released_at > instant
        OFFSET 0) AS p;
END;

COMMENT ON FUNCTION slot_at(timestamptz) IS 'The slots that were held at an instant.';
