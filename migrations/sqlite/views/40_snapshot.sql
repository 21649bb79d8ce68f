-- The Queue Snapshot, as the API gives it. Times count to now, by the clock of the machine.

DROP VIEW IF EXISTS queue_snapshot;
CREATE VIEW queue_snapshot AS
WITH clock AS (
    SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now, unixepoch('now', 'start of day') * 1000000 AS midnight
), waits AS (
    SELECT queue_id, count(*) AS waiting, min(enqueued_at) AS oldest
    FROM fact_queue_segment WHERE span IS NULL AND dequeued_at IS NULL GROUP BY queue_id
), legs AS (
    SELECT queue_id, count(*) - count(ended_at) AS engaged, count(ended_at) AS in_wrap_up
    FROM fact_agent_leg WHERE closed_at IS NULL GROUP BY queue_id
), watched AS (
    SELECT s.queue_id, count(*) AS sessions
    FROM (SELECT DISTINCT session_key FROM fact_monitoring WHERE ended_at IS NULL) AS w
    CROSS JOIN fact_session_step AS s ON s.session_key = w.session_key
    WHERE s.completed_at IS NULL GROUP BY s.queue_id
), members AS (
    SELECT d.profile_id, count(*) AS logged_in, count(*) FILTER (WHERE d.status = 'available') AS available,
           sum(max(0, p.max_sessions - d.sessions_in_use)) FILTER (WHERE d.status = 'available') AS idle
    FROM staff_duty AS d JOIN dim_profile AS p ON p.profile_id = d.profile_id AND p.is_current
    WHERE d.logged_in GROUP BY d.profile_id
), duty AS (
    SELECT q.queue_id, sum(m.logged_in) AS logged_in, sum(m.available) AS available, sum(m.idle) AS idle
    FROM members AS m JOIN dim_profile_queue AS q ON q.profile_id = m.profile_id AND q.is_current GROUP BY q.queue_id
), today AS (
    SELECT a.queue_id, sum(a.offered) AS offered, sum(a.answered) AS answered, sum(a.answered_in_target) AS answered_in_target,
           sum(a.abandoned) AS abandoned, sum(a.short_abandoned) AS short_abandoned
    FROM clock AS c CROSS JOIN agg_queue_15m AS a WHERE a.bucket_at >= c.midnight GROUP BY a.queue_id
)
SELECT q.queue_id, q.name, coalesce(s.waiting, 0) AS waiting, max(0, (c.now - s.oldest) / 1000) AS oldest_wait_ms,
       coalesce(l.engaged, 0) AS engaged, coalesce(l.in_wrap_up, 0) AS in_wrap_up, coalesce(w.sessions, 0) AS monitored,
       coalesce(d.logged_in, 0) AS agents_logged_in, coalesce(d.available, 0) AS agents_available,
       coalesce(d.idle, 0) AS idle_sessions, q.service_level_ms,
       CAST(t.answered_in_target AS REAL) / nullif(t.offered, 0) AS service_level_today,
       coalesce(t.offered, 0) AS offered_today, coalesce(t.answered, 0) AS answered_today,
       coalesce(t.answered_in_target, 0) AS answered_in_target_today, coalesce(t.abandoned, 0) AS abandoned_today,
       coalesce(t.short_abandoned, 0) AS short_abandoned_today,
       CASE WHEN max(0, (c.now - s.oldest) / 1000) > q.service_level_ms THEN 'breached'
            WHEN max(0, (c.now - s.oldest) / 1000) * 4 >= q.service_level_ms * 3 THEN 'warning' ELSE 'ok' END AS alert
FROM clock AS c CROSS JOIN dim_queue AS q
LEFT JOIN waits AS s ON s.queue_id = q.queue_id
LEFT JOIN legs AS l ON l.queue_id = q.queue_id
LEFT JOIN watched AS w ON w.queue_id = q.queue_id
LEFT JOIN duty AS d ON d.queue_id = q.queue_id
LEFT JOIN today AS t ON t.queue_id = q.queue_id
WHERE q.is_current;

DROP VIEW IF EXISTS queue_snapshot_agent;
CREATE VIEW queue_snapshot_agent AS
WITH clock AS (
    SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now
), engaged AS (
    SELECT s.agent_id, min(s.state_since) AS oldest, max(s.help_requested_at IS NOT NULL) AS help
    FROM fact_session_step AS s JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
    WHERE s.completed_at IS NULL AND s.state = 'engaged' GROUP BY s.agent_id
)
SELECT d.staff_id, d.name, d.status, CASE d.status WHEN 'available' THEN 'available' ELSE 'unavailable' END AS status_type,
       max(0, (c.now - d.status_since) / 1000) AS time_in_status_ms, d.sessions_in_use,
       p.max_sessions, max(0, p.max_sessions - d.sessions_in_use) AS idle_sessions,
       max(0, (c.now - s.oldest) / 1000) AS oldest_session_ms, coalesce(s.help, 0) AS help_requested
FROM clock AS c CROSS JOIN staff_duty AS d
JOIN dim_profile AS p ON p.profile_id = d.profile_id AND p.is_current
LEFT JOIN engaged AS s ON s.agent_id = d.staff_id
WHERE d.logged_in AND d.profile_id IN (
    SELECT s.profile_id FROM dim_profile_queue AS s JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
    WHERE s.is_current);

DROP VIEW IF EXISTS queue_snapshot_session;
CREATE VIEW queue_snapshot_session AS
WITH clock AS (
    SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now
), watches AS (
    SELECT session_key, group_concat(supervisor_id, ',' ORDER BY monitoring_key) AS monitored_by
    FROM fact_monitoring WHERE ended_at IS NULL GROUP BY session_key
)
SELECT s.session_id, s.queue_id, s.queue_name, s.agent_id, s.agent_name, s.customer_name, s.state, s.requested_at,
       max(0, (c.now - s.state_since) / 1000) AS time_in_state_ms,
       s.wait_ms + CASE WHEN s.state IN ('queued', 'offered') THEN max(0, (c.now - s.queued_at) / 1000) ELSE 0 END AS wait_ms,
       max(0, (coalesce(s.ended_at, c.now) - s.requested_at) / 1000) AS duration_ms,
       max(0, (c.now - a.last_customer_message_at) / 1000) AS last_customer_message_age_ms,
       max(0, (c.now - a.last_agent_message_at) / 1000) AS last_agent_message_age_ms,
       a.messages, s.help_requested_at IS NOT NULL AS help_requested, w.monitored_by
FROM clock AS c CROSS JOIN fact_session_step AS s
JOIN dim_queue AS q ON q.queue_id = s.queue_id AND q.is_current
JOIN fact_session_activity AS a ON a.session_key = s.session_key
LEFT JOIN watches AS w ON w.session_key = s.session_key
WHERE s.completed_at IS NULL;
