-- Service level by queue and quarter of an hour, with the numbers that it is made of.
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until)
SELECT a.queue_id, q.name, a.bucket_at, a.offered, a.answered, a.answered_in_target, a.abandoned, a.short_abandoned,
       round(a.answered_in_target::numeric / nullif(a.offered, 0), 4) AS service_level,
       round(a.answered_wait_ms::numeric / nullif(a.answered, 0)) AS average_speed_of_answer_ms
FROM period AS p
JOIN agg_queue_15m AS a ON a.bucket_at >= p.since AND a.bucket_at < p.until
LEFT JOIN dim_queue AS q ON q.queue_id = a.queue_id AND q.is_current
ORDER BY a.queue_id, a.bucket_at;
