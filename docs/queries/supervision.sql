-- How much was supervised, by queue and day (UTC): of the sessions that agents had, how many were watched, coached (a private
-- message of the supervisor) and joined.
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until),
served AS (
    SELECT l.queue_id, l.session_key, min((l.started_at AT TIME ZONE 'UTC')::date) AS day
    FROM period AS p JOIN fact_agent_leg AS l ON l.started_at >= p.since AND l.started_at < p.until
    GROUP BY l.queue_id, l.session_key
), watched AS (
    SELECT m.queue_id, m.session_key, bool_or(m.private_messages > 0) AS coached, bool_or(m.joined_at IS NOT NULL) AS joined,
           sum(m.watched_ms) AS watched_ms
    FROM fact_monitoring AS m GROUP BY m.queue_id, m.session_key
)
SELECT s.queue_id, s.day, count(*) AS sessions, count(w.session_key) AS watched,
       count(*) FILTER (WHERE w.coached) AS coached, count(*) FILTER (WHERE w.joined) AS joined,
       round(count(w.session_key)::numeric / count(*), 4) AS watched_share,
       coalesce(round(sum(w.watched_ms) / 1000), 0) AS watched_s
FROM served AS s LEFT JOIN watched AS w ON w.session_key = s.session_key AND w.queue_id = s.queue_id
GROUP BY s.queue_id, s.day
ORDER BY s.queue_id, s.day;
