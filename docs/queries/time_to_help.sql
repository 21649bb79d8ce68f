-- Agents' calls for help by queue and day (UTC) of the session: how many were answered, and how soon.
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until)
SELECT s.queue_id, (s.requested_at AT TIME ZONE 'UTC')::date AS day, sum(s.help_requests) AS calls, sum(s.helped) AS answered,
       round(sum(s.time_to_help_ms) / nullif(sum(s.helped), 0)) AS average_time_to_help_ms,
       max(s.time_to_help_ms) FILTER (WHERE s.helped = 1) AS longest_ms
FROM period AS p
JOIN fact_session AS s ON s.requested_at >= p.since AND s.requested_at < p.until
WHERE s.help_requests > 0
GROUP BY s.queue_id, day
ORDER BY s.queue_id, day;
