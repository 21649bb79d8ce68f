-- The sessions of a past instant. Messages, calls for help and offers are read from the transcripts.

CREATE OR REPLACE FUNCTION queue_snapshot_session_at(instant timestamptz) RETURNS SETOF queue_snapshot_session
LANGUAGE sql STABLE PARALLEL SAFE SET jit = off
BEGIN ATOMIC
    WITH clock AS (
        SELECT date_trunc('milliseconds', instant) + interval '999 microseconds' AS until
    ), watches AS (
        SELECT m.session_key, string_agg(m.supervisor_id, ',' ORDER BY m.monitoring_key) AS monitored_by
        FROM clock AS c, monitoring_at(c.until) AS m GROUP BY m.session_key
    ), queues AS (
        SELECT q.queue_id, q.name
        FROM clock AS c JOIN dim_queue AS q ON q.valid_from <= c.until AND (q.valid_to > c.until OR q.valid_to IS NULL)
    ), sessions AS (
        SELECT w.session_key, w.queue_id, w.queue_name, NULL AS agent_id, NULL AS agent_name, 'queued' AS state,
               w.enqueued_at AS since, w.enqueued_at AS waiting_since, CAST(NULL AS timestamptz) AS ended_at
        FROM clock AS c CROSS JOIN queue_segment_at(c.until) AS w JOIN queues AS q ON q.queue_id = w.queue_id
        UNION ALL
        SELECT l.session_key, l.queue_id,
               coalesce((SELECT w.queue_name FROM fact_queue_segment AS w WHERE w.session_key = l.session_key AND w.segment_key < l.leg_key
                         ORDER BY w.segment_key + 0 DESC LIMIT 1), q.name),
               l.agent_id, l.agent_name, CASE WHEN l.ended_at <= c.until THEN 'wrap_up' ELSE 'engaged' END,
               CASE WHEN l.ended_at <= c.until THEN l.ended_at ELSE l.started_at END, NULL,
               CASE WHEN l.ended_at <= c.until THEN l.ended_at END
        FROM clock AS c CROSS JOIN agent_leg_at(c.until) AS l JOIN queues AS q ON q.queue_id = l.queue_id
    )
    SELECT f.session_id, s.queue_id, s.queue_name, s.agent_id, s.agent_name, f.customer_name,
           CASE WHEN s.state = 'queued' AND e.offer > e.answer THEN 'offered' ELSE s.state END, f.requested_at,
           ms_between(CASE WHEN s.state <> 'queued' THEN s.since
                           WHEN e.offer > e.answer THEN e.offered_at
                           ELSE greatest(s.since, e.withdrawn_at) END, instant),
           CAST(p.wait_ms AS bigint) + coalesce(ms_between(s.waiting_since, instant), 0),
           ms_between(f.requested_at, coalesce(s.ended_at, instant)), ms_between(e.customer_at, instant),
           ms_between(e.agent_at, instant), e.messages, e.help > e.helped, w.monitored_by
    FROM clock AS c
    CROSS JOIN sessions AS s
    JOIN fact_session_step AS f ON f.session_key = s.session_key
    LEFT JOIN watches AS w ON w.session_key = s.session_key
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(g.wait_ms), 0) AS wait_ms FROM fact_queue_segment AS g
        WHERE g.session_key = s.session_key AND g.dequeued_at <= c.until) AS p
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE t.event_type = 'PublicMessageSent') AS messages,
               max(t.occurred_at) FILTER (WHERE t.event_type = 'PublicMessageSent' AND t.public_sender_role = 'customer') AS customer_at,
               max(t.occurred_at) FILTER (WHERE t.event_type = 'PublicMessageSent' AND t.public_sender_role = 'agent') AS agent_at,
               coalesce(max(t.revision) FILTER (WHERE t.event_type = 'HelpRequested'), -1) AS help,
               coalesce(max(t.revision) FILTER (WHERE t.event_type IN ('HelpResolved', 'SessionTransferred', 'SessionConcluded')), -1) AS helped,
               coalesce(max(t.revision) FILTER (WHERE t.event_type = 'SessionOffered'), -1) AS offer,
               max(t.occurred_at) FILTER (WHERE t.event_type = 'SessionOffered') AS offered_at,
               coalesce(max(t.revision) FILTER (WHERE t.event_type IN ('OfferDeclined', 'OfferExpired', 'SessionQueued', 'AgentJoined',
                   'SessionTransferred', 'SessionAbandoned', 'SessionConcluded')), -1) AS answer,
               max(t.occurred_at) FILTER (WHERE t.event_type IN ('OfferDeclined', 'OfferExpired')) AS withdrawn_at
        FROM transcript_entry AS t
        WHERE t.session_key = s.session_key AND t.occurred_at <= c.until) AS e;
END;

COMMENT ON FUNCTION queue_snapshot_session_at(timestamptz) IS 'Every session on which somebody had something to do at a past instant, in the columns of queue_snapshot_session. Queues are as they were, and agents and queues are named as they were.';
