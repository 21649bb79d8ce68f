-- How fresh the tables are, and how much of what happened could not be taken in. Look here before a report is believed.
SELECT c.name, c.updated_at, c.lag_events, c.lag_ms, c.event_at AS last_event_at,
       (SELECT count(*) FROM parked_event AS e WHERE e.projection = c.name) AS parked_events
FROM checkpoint AS c
ORDER BY c.name;
