DROP VIEW IF EXISTS fact_session;
CREATE VIEW fact_session AS
SELECT s.session_key, s.session_id, s.requested_at, s.requested_queue_id, s.queue_id, s.queue_name, s.state, s.state_since,
       s.queued_at, s.offered_to_id, s.offer_expires_at, s.agent_id, s.agent_name, s.engaged_at, s.ended_at, s.completed_at,
       s.wrap_up_until, s.wait_ms, s.segments, s.offers, s.declines, s.expiries, s.legs, s.transfers, s.engaged_ms,
       s.wrap_up_ms, s.first_response_ms, s.help_requested_at, s.help_requests, s.helped, s.time_to_help_ms, s.watches,
       s.short_abandon, s.end_reason, s.disposition, a.messages, a.customer_messages, a.agent_messages,
       a.supervisor_messages, a.private_messages, a.last_customer_message_at, a.last_agent_message_at,
       s.session_id IN (SELECT substr(p.stream, 9) FROM parked_event AS p WHERE p.stream LIKE 'session-%') AS incomplete
FROM fact_session_step AS s JOIN fact_session_activity AS a ON a.session_key = s.session_key;

DROP VIEW IF EXISTS agg_agent_15m;
CREATE VIEW agg_agent_15m AS
SELECT u.agent_id, u.bucket_at, sum(u.answered) AS answered, sum(u.assigned) AS assigned,
       sum(u.handled) AS handled, sum(u.engaged_ms) AS engaged_ms, sum(u.wrap_up_ms) AS wrap_up_ms,
       sum(u.logged_in_ms) AS logged_in_ms, sum(u.available_ms) AS available_ms,
       sum(u.busy_ms) AS busy_ms, sum(u.session_ms) AS session_ms, sum(u.idle_ms) AS idle_ms,
       sum(u.monitoring_ms) AS monitoring_ms
FROM (SELECT h.agent_id, h.bucket_at, h.answered, h.assigned, h.handled, h.engaged_ms, h.wrap_up_ms, 0 AS logged_in_ms,
             0 AS available_ms, 0 AS busy_ms, 0 AS session_ms, 0 AS idle_ms,
             0 AS monitoring_ms
      FROM agent_handling_15m AS h
      UNION ALL
      SELECT t.agent_id, t.bucket_at, 0, 0, 0, 0, 0, t.logged_in_ms, t.available_ms, t.busy_ms, t.session_ms, t.idle_ms,
             t.monitoring_ms
      FROM agent_time_15m AS t) AS u
GROUP BY u.agent_id, u.bucket_at;
