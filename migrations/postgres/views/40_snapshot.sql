-- The Queue Snapshot, as the API gives it. Times count to the beginning of the statement.

CREATE OR REPLACE FUNCTION ms_between(earlier timestamptz, later timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN later < earlier THEN 0 ELSE (date_part('epoch', later - earlier) * 1000000)::bigint / 1000 END;

COMMENT ON FUNCTION ms_between(timestamptz, timestamptz) IS 'Whole milliseconds from one time to another, never negative; NULL when one of them is.';

CREATE OR REPLACE FUNCTION alert_level(oldest_wait_ms bigint, service_level_ms bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN oldest_wait_ms > service_level_ms THEN 'breached'
            WHEN oldest_wait_ms * 4 >= service_level_ms * 3 THEN 'warning' ELSE 'ok' END;

COMMENT ON FUNCTION alert_level(bigint, bigint) IS 'The oldest wait of a queue against its target: breached when the target has gone by, warning when three quarters of it have, else ok.';

CREATE OR REPLACE VIEW queue_snapshot AS
WITH waits AS (
    SELECT queue_id, count(*) AS waiting, min(enqueued_at) AS oldest
    FROM fact_queue_segment WHERE dequeued_at IS NULL GROUP BY queue_id
), legs AS (
    SELECT queue_id, count(*) - count(ended_at) AS engaged, count(ended_at) AS in_wrap_up
    FROM fact_agent_leg WHERE closed_at IS NULL GROUP BY queue_id
), watched AS (
    -- One look-up for each watched session; a join would read all open ones.
    SELECT m.queue_id, count(*) AS sessions
    FROM (SELECT (SELECT s.queue_id FROM fact_session_step AS s
                  WHERE s.session_key = w.session_key AND s.completed_at IS NULL) AS queue_id
          FROM (SELECT DISTINCT session_key FROM fact_monitoring WHERE ended_at IS NULL) AS w) AS m
    GROUP BY m.queue_id
), members AS (
    SELECT d.profile_id, count(*) AS logged_in, count(*) FILTER (WHERE d.status = 'available') AS available,
           sum(greatest(0, p.max_sessions - d.sessions_in_use)) FILTER (WHERE d.status = 'available') AS idle
    FROM staff_duty AS d JOIN dim_profile AS p ON p.profile_id = d.profile_id AND p.is_current
    WHERE d.logged_in GROUP BY d.profile_id
), duty AS (
    SELECT q.queue_id, sum(m.logged_in)::bigint AS logged_in, sum(m.available)::bigint AS available, sum(m.idle)::bigint AS idle
    FROM members AS m JOIN dim_profile_queue AS q ON q.profile_id = m.profile_id AND q.is_current GROUP BY q.queue_id
), today AS (
    SELECT queue_id, sum(offered)::bigint AS offered, sum(answered)::bigint AS answered,
           sum(answered_in_target)::bigint AS answered_in_target, sum(abandoned)::bigint AS abandoned,
           sum(short_abandoned)::bigint AS short_abandoned
    FROM agg_queue_15m WHERE bucket_at >= date_trunc('day', statement_timestamp(), 'UTC') GROUP BY queue_id
)
SELECT q.queue_id, q.name, coalesce(s.waiting, 0) AS waiting, ms_between(s.oldest, statement_timestamp()) AS oldest_wait_ms,
       coalesce(l.engaged, 0) AS engaged, coalesce(l.in_wrap_up, 0) AS in_wrap_up, coalesce(w.sessions, 0) AS monitored,
       coalesce(d.logged_in, 0) AS agents_logged_in, coalesce(d.available, 0) AS agents_available,
       coalesce(d.idle, 0) AS idle_sessions, q.service_level_ms,
       CAST(t.answered_in_target AS double precision) / nullif(t.offered, 0) AS service_level_today,
       coalesce(t.offered, 0) AS offered_today, coalesce(t.answered, 0) AS answered_today,
       coalesce(t.answered_in_target, 0) AS answered_in_target_today, coalesce(t.abandoned, 0) AS abandoned_today,
       coalesce(t.short_abandoned, 0) AS short_abandoned_today,
       alert_level(ms_between(s.oldest, statement_timestamp()), q.service_level_ms) AS alert
FROM dim_queue AS q
LEFT JOIN waits AS s ON s.queue_id = q.queue_id
LEFT JOIN legs AS l ON l.queue_id = q.queue_id
LEFT JOIN watched AS w ON w.queue_id = q.queue_id
LEFT JOIN duty AS d ON d.queue_id = q.queue_id
LEFT JOIN today AS t ON t.queue_id = q.queue_id
WHERE q.is_current;

CREATE OR REPLACE VIEW queue_snapshot_agent AS
SELECT d.staff_id, d.name, d.status, CASE d.status WHEN 'available' THEN 'available' ELSE 'unavailable' END AS status_type,
       ms_between(d.status_since, statement_timestamp()) AS time_in_status_ms, d.sessions_in_use,
       p.max_sessions, greatest(0, p.max_sessions - d.sessions_in_use) AS idle_sessions,
       ms_between(s.oldest, statement_timestamp()) AS oldest_session_ms, coalesce(s.help, false) AS help_requested
FROM staff_duty AS d
JOIN dim_profile AS p ON p.profile_id = d.profile_id AND p.is_current
LEFT JOIN (SELECT s.agent_id, min(s.state_since) AS oldest, bool_or(s.help_requested_at IS NOT NULL) AS help
           FROM fact_session_step AS s JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
           WHERE s.completed_at IS NULL AND s.state = 'engaged' GROUP BY s.agent_id) AS s ON s.agent_id = d.staff_id
WHERE d.logged_in AND d.profile_id IN (
    SELECT s.profile_id FROM dim_profile_queue AS s JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
    WHERE s.is_current);

CREATE OR REPLACE VIEW queue_snapshot_session AS
SELECT s.session_id, s.queue_id, s.queue_name, s.agent_id, s.agent_name, s.customer_name, s.state, s.requested_at,
       ms_between(s.state_since, statement_timestamp()) AS time_in_state_ms,
       s.wait_ms + CASE WHEN s.state IN ('queued', 'offered') THEN ms_between(s.queued_at, statement_timestamp()) ELSE 0 END AS wait_ms,
       ms_between(s.requested_at, coalesce(s.ended_at, statement_timestamp())) AS duration_ms,
       ms_between(a.last_customer_message_at, statement_timestamp()) AS last_customer_message_age_ms,
       ms_between(a.last_agent_message_at, statement_timestamp()) AS last_agent_message_age_ms,
       a.messages, s.help_requested_at IS NOT NULL AS help_requested, w.monitored_by
FROM fact_session_step AS s
JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
JOIN fact_session_activity AS a ON a.session_key = s.session_key
LEFT JOIN (SELECT session_key, string_agg(supervisor_id, ',' ORDER BY monitoring_key) AS monitored_by
           FROM fact_monitoring WHERE ended_at IS NULL GROUP BY session_key) AS w ON w.session_key = s.session_key
WHERE s.completed_at IS NULL;

COMMENT ON VIEW queue_snapshot IS 'What goes on in each queue now. For a past instant: queue_snapshot_at.';
COMMENT ON COLUMN queue_snapshot.queue_id IS 'Of dim_queue.';
COMMENT ON COLUMN queue_snapshot.name IS 'Of the queue, for people.';
COMMENT ON COLUMN queue_snapshot.waiting IS 'Sessions that are queued or offered.';
COMMENT ON COLUMN queue_snapshot.oldest_wait_ms IS 'Milliseconds that the longest waiting of them has waited in this queue; NULL when none waits.';
COMMENT ON COLUMN queue_snapshot.engaged IS 'Sessions with an agent.';
COMMENT ON COLUMN queue_snapshot.in_wrap_up IS 'Sessions that are over and whose agent still has work on them.';
COMMENT ON COLUMN queue_snapshot.monitored IS 'Sessions that at least one supervisor watches.';
COMMENT ON COLUMN queue_snapshot.agents_logged_in IS 'Members on duty whose profile serves the queue; one who serves several queues counts in each.';
COMMENT ON COLUMN queue_snapshot.agents_available IS 'Of these, in a status of type available.';
COMMENT ON COLUMN queue_snapshot.idle_sessions IS 'Sessions that the available agents can still take; those of an agent of several queues count in each.';
COMMENT ON COLUMN queue_snapshot.service_level_ms IS 'The target of the wait in milliseconds.';
COMMENT ON COLUMN queue_snapshot.service_level_today IS 'answered_in_target_today / offered_today, 0 to 1; NULL when none was offered.';
COMMENT ON COLUMN queue_snapshot.offered_today IS 'Waits that began since midnight UTC; so are those that the columns below are parts of.';
COMMENT ON COLUMN queue_snapshot.answered_today IS 'Of these, an agent accepted.';
COMMENT ON COLUMN queue_snapshot.answered_in_target_today IS 'Of these, an agent accepted within the target.';
COMMENT ON COLUMN queue_snapshot.abandoned_today IS 'Of these, the customer left, not sooner than the threshold.';
COMMENT ON COLUMN queue_snapshot.short_abandoned_today IS 'Of these, the customer left sooner than the threshold.';
COMMENT ON COLUMN queue_snapshot.alert IS 'The oldest wait against the target: ok, warning (three quarters of it have gone by) or breached.';

COMMENT ON VIEW queue_snapshot_agent IS 'What each member on duty does now, of those whose profile serves a queue. For a past instant: queue_snapshot_agent_at.';
COMMENT ON COLUMN queue_snapshot_agent.staff_id IS 'Of dim_staff.';
COMMENT ON COLUMN queue_snapshot_agent.name IS 'Of the member, for people.';
COMMENT ON COLUMN queue_snapshot_agent.status IS 'available, unavailable, in_meeting or on_break.';
COMMENT ON COLUMN queue_snapshot_agent.status_type IS 'available (offers come) or unavailable.';
COMMENT ON COLUMN queue_snapshot_agent.time_in_status_ms IS 'Milliseconds since the status was taken.';
COMMENT ON COLUMN queue_snapshot_agent.sessions_in_use IS 'Sessions offered, engaged, monitored or joined.';
COMMENT ON COLUMN queue_snapshot_agent.max_sessions IS 'Limit of the profile.';
COMMENT ON COLUMN queue_snapshot_agent.idle_sessions IS 'max_sessions - sessions_in_use, never negative.';
COMMENT ON COLUMN queue_snapshot_agent.oldest_session_ms IS 'Milliseconds since the member came to the session that they have had longest; NULL when they have none.';
COMMENT ON COLUMN queue_snapshot_agent.help_requested IS 'Whether a call for help is open in one of their sessions.';

COMMENT ON VIEW queue_snapshot_session IS 'Every session on which somebody has something to do now. For a past instant: queue_snapshot_session_at.';
COMMENT ON COLUMN queue_snapshot_session.session_id IS 'As everybody knows the session.';
COMMENT ON COLUMN queue_snapshot_session.queue_id IS 'Of dim_queue.';
COMMENT ON COLUMN queue_snapshot_session.queue_name IS 'As it was called when the session entered it.';
COMMENT ON COLUMN queue_snapshot_session.agent_id IS 'Staff id of the agent; NULL while nobody has it.';
COMMENT ON COLUMN queue_snapshot_session.agent_name IS 'Of the agent; NULL while nobody has it.';
COMMENT ON COLUMN queue_snapshot_session.customer_name IS 'As the customer gave it.';
COMMENT ON COLUMN queue_snapshot_session.state IS 'queued, offered, engaged or wrap_up.';
COMMENT ON COLUMN queue_snapshot_session.requested_at IS 'Time at which the customer asked for a chat.';
COMMENT ON COLUMN queue_snapshot_session.time_in_state_ms IS 'Milliseconds since the state began; for engaged, since the present agent came.';
COMMENT ON COLUMN queue_snapshot_session.wait_ms IS 'Milliseconds, sum over all waits, with the one that lasts.';
COMMENT ON COLUMN queue_snapshot_session.duration_ms IS 'Milliseconds since the request, until the conversation ended.';
COMMENT ON COLUMN queue_snapshot_session.last_customer_message_age_ms IS 'Milliseconds since the customer''s last message; NULL when they wrote none.';
COMMENT ON COLUMN queue_snapshot_session.last_agent_message_age_ms IS 'Milliseconds since the last public message of an agent; NULL when none wrote.';
COMMENT ON COLUMN queue_snapshot_session.messages IS 'Public messages.';
COMMENT ON COLUMN queue_snapshot_session.help_requested IS 'Whether a call for help is open.';
COMMENT ON COLUMN queue_snapshot_session.monitored_by IS 'Staff ids of the supervisors who watch, comma-separated, in the order in which they began; NULL when nobody does.';
