CREATE OR REPLACE VIEW fact_session AS
SELECT s.session_key, s.session_id, s.requested_at, s.requested_queue_id, s.queue_id, s.queue_name, s.state, s.state_since,
       s.queued_at, s.offered_to_id, s.offer_expires_at, s.agent_id, s.agent_name, s.engaged_at, s.ended_at, s.completed_at,
       s.wrap_up_until, s.wait_ms, s.segments, s.offers, s.declines, s.expiries, s.legs, s.transfers, s.engaged_ms,
       s.wrap_up_ms, s.first_response_ms, s.help_requested_at, s.help_requests, s.helped, s.time_to_help_ms, s.watches,
       s.short_abandon, s.end_reason, s.disposition, a.messages, a.customer_messages, a.agent_messages,
       a.supervisor_messages, a.private_messages, a.last_customer_message_at, a.last_agent_message_at,
       s.session_id IN (SELECT substr(p.stream, 9) FROM parked_event AS p WHERE p.stream LIKE 'session-%') AS incomplete
FROM fact_session_step AS s JOIN fact_session_activity AS a ON a.session_key = s.session_key;

CREATE OR REPLACE VIEW agg_agent_15m AS
SELECT u.agent_id, u.bucket_at, sum(u.answered)::bigint AS answered, sum(u.assigned)::bigint AS assigned,
       sum(u.handled)::bigint AS handled, sum(u.engaged_ms)::bigint AS engaged_ms, sum(u.wrap_up_ms)::bigint AS wrap_up_ms,
       sum(u.logged_in_ms)::bigint AS logged_in_ms, sum(u.available_ms)::bigint AS available_ms,
       sum(u.busy_ms)::bigint AS busy_ms, sum(u.session_ms)::bigint AS session_ms, sum(u.idle_ms)::bigint AS idle_ms,
       sum(u.monitoring_ms)::bigint AS monitoring_ms
FROM (SELECT h.agent_id, h.bucket_at, h.answered, h.assigned, h.handled, h.engaged_ms, h.wrap_up_ms, 0::bigint AS logged_in_ms,
             0::bigint AS available_ms, 0::bigint AS busy_ms, 0::bigint AS session_ms, 0::bigint AS idle_ms,
             0::bigint AS monitoring_ms
      FROM agent_handling_15m AS h
      UNION ALL
      SELECT t.agent_id, t.bucket_at, 0, 0, 0, 0, 0, t.logged_in_ms, t.available_ms, t.busy_ms, t.session_ms, t.idle_ms,
             t.monitoring_ms
      FROM agent_time_15m AS t) AS u
GROUP BY u.agent_id, u.bucket_at;

COMMENT ON VIEW fact_session IS 'Sessions, one row each. Who the customer is does not stand here.';
COMMENT ON COLUMN fact_session.incomplete IS 'Whether some events of the session could not be folded, so that the row is not the whole truth; see parked_event.';
COMMENT ON VIEW agg_agent_15m IS 'Agents by quarter of an hour (UTC). What was handled stands in the quarter in which it began; time stands in the quarter in which it passed, once the stretch of time has ended. All numbers can be added up over agents and time.';

-- The other columns are those of the tables.
DO $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT v.attrelid::regclass AS view, v.attname AS name, min(col_description(t.attrelid, t.attnum)) AS comment
        FROM (VALUES ('fact_session'::regclass, 'fact_session_step'::regclass), ('fact_session', 'fact_session_activity'),
                     ('agg_agent_15m', 'agent_handling_15m'), ('agg_agent_15m', 'agent_time_15m')) AS p (view, source)
        JOIN pg_attribute AS v ON v.attrelid = p.view
        JOIN pg_attribute AS t ON t.attrelid = p.source AND t.attname = v.attname AND t.attnum > 0
        WHERE p.source <> 'fact_session_activity'::regclass OR t.attname <> 'session_key'
        GROUP BY v.attrelid, v.attname
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', told.view, told.name, told.comment);
    END LOOP;
END
$$;
