-- Occupancy, concurrency and handle time of agents by day (UTC).
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until)
SELECT a.agent_id, s.name, (a.bucket_at AT TIME ZONE 'UTC')::date AS day,
       round(sum(a.logged_in_ms) / 1000) AS logged_in_s,
       round(sum(a.busy_ms) / nullif(sum(a.busy_ms) + sum(a.idle_ms), 0), 4) AS occupancy,
       round(sum(a.session_ms) / nullif(sum(a.busy_ms), 0), 4) AS concurrency,
       sum(a.handled) AS handled,
       round((sum(a.engaged_ms) + sum(a.wrap_up_ms)) / nullif(sum(a.handled), 0)) AS average_handle_time_ms,
       round(sum(a.monitoring_ms) / 1000) AS monitoring_s
FROM period AS p
JOIN agg_agent_15m AS a ON a.bucket_at >= p.since AND a.bucket_at < p.until
LEFT JOIN dim_staff AS s ON s.staff_id = a.agent_id AND s.is_current
GROUP BY a.agent_id, s.name, day
ORDER BY a.agent_id, day;
