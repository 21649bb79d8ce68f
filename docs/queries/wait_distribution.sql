-- How long customers waited, by queue and outcome: the median, the nine slowest in ten, and how many waits fell into each class.
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until)
SELECT s.queue_id, s.outcome, count(*) AS waits,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY s.wait_ms) AS median_ms,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY s.wait_ms) AS p90_ms,
       max(s.wait_ms) AS longest_ms,
       count(*) FILTER (WHERE s.wait_ms < 10000) AS below_10_s,
       count(*) FILTER (WHERE s.wait_ms >= 10000 AND s.wait_ms < 30000) AS below_30_s,
       count(*) FILTER (WHERE s.wait_ms >= 30000 AND s.wait_ms < 60000) AS below_60_s,
       count(*) FILTER (WHERE s.wait_ms >= 60000 AND s.wait_ms < 300000) AS below_5_min,
       count(*) FILTER (WHERE s.wait_ms >= 300000) AS longer
FROM period AS p
JOIN fact_queue_segment AS s ON s.enqueued_at >= p.since AND s.enqueued_at < p.until
WHERE s.dequeued_at IS NOT NULL
GROUP BY s.queue_id, s.outcome
ORDER BY s.queue_id, s.outcome;
