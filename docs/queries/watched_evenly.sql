-- How evenly agents are watched: for each agent the share of their turns on sessions during which a supervisor began to watch,
-- against that of all agents together. 1 is as often as the average; 0 is never.
WITH period AS (SELECT timestamptz '2026-03-01 00:00Z' AS since, timestamptz '2026-04-01 00:00Z' AS until),
turns AS (
    SELECT l.agent_id, l.agent_name,
           EXISTS (SELECT FROM fact_monitoring AS m WHERE m.session_key = l.session_key AND m.agent_id = l.agent_id
                   AND m.started_at >= l.started_at AND (m.started_at < l.ended_at OR l.ended_at IS NULL)) AS watched
    FROM period AS p JOIN fact_agent_leg AS l ON l.started_at >= p.since AND l.started_at < p.until
), agents AS (
    SELECT agent_id, max(agent_name) AS name, count(*) AS turns, count(*) FILTER (WHERE watched) AS watched
    FROM turns GROUP BY agent_id
)
SELECT agent_id, name, turns, watched, round(watched::numeric / turns, 4) AS watched_share,
       round((watched::numeric / turns) / nullif(sum(watched) OVER () / sum(turns) OVER (), 0), 2) AS against_average
FROM agents
ORDER BY against_average NULLS LAST, agent_id;
