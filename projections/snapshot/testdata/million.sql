-- 1,000,000 finished sessions and 10,000 live ones, of which 1,000 wait and 9,000 have an agent; 100 are watched. They came at
-- the same rate all the time, so that at any past instant about 10,000 were live too.
-- 50 queues, 3,000 agents on duty, one wait, one leg and one slot a session, 8 messages of each live one.

INSERT INTO dim_queue (queue_id, revision, name, service_level_ms, short_abandon_ms, announce_supervisor_join, agent_private_reply,
    offer_timeout_ms, wrap_up_ms, defined_at, valid_from, valid_to, is_current)
SELECT 'queue-' || q, 0, 'Queue ' || q, 30000, 5000, false, 'after_join', 30000, 0, now() - interval '100 days', now() - interval '100 days', NULL, true
FROM generate_series(0, 49) AS q;

INSERT INTO dim_profile (profile_id, revision, name, chat, supervisor, monitor, max_sessions, queues, pull_policy, allow_decline,
    receive_offers, defined_at, valid_from, valid_to, is_current)
SELECT 'profile-' || p, 0, 'Profile ' || p, true, true, true, 5,
    (SELECT json_agg('queue-' || q)::text FROM generate_series(p * 5, p * 5 + 4) AS q), 'first_due', true, true,
    now() - interval '100 days', now() - interval '100 days', NULL, true
FROM generate_series(0, 9) AS p;

INSERT INTO dim_staff (staff_id, revision, name, profile_id, registered_at, valid_from, valid_to, is_current)
SELECT 'agent-' || a, 0, 'Agent ' || a, 'profile-' || a % 10, now() - interval '100 days', now() - interval '100 days', NULL, true
FROM generate_series(0, 2999) AS a;

INSERT INTO staff_duty (staff_id, name, profile_id, logged_in, status, status_since, logged_in_at, registered_at, revision, accounted_until, sessions_in_use)
SELECT 'agent-' || a, 'Agent ' || a, 'profile-' || a % 10, true, 'available', now() - interval '1 hour', now() - interval '1 hour',
    now() - interval '100 days', 9, now(), 3
FROM generate_series(0, 2999) AS a;

-- A status for each agent and day, and the one that lasts.
INSERT INTO fact_staff_status (status_key, staff_id, staff_name, profile_id, status, status_type, reason, started_at, ended_at, status_ms, span)
SELECT d * 3000 + a, 'agent-' || a, 'Agent ' || a, 'profile-' || a % 10, 'available', 'available', NULL,
    now() - make_interval(days => 90 - d::int), now() - make_interval(days => 90 - d::int) + interval '23 hours', 82800000, 6
FROM generate_series(0, 89) AS d, generate_series(0, 2999) AS a;
INSERT INTO fact_staff_status (status_key, staff_id, staff_name, profile_id, status, status_type, reason, started_at, ended_at, status_ms, span)
SELECT 1000000 + a, 'agent-' || a, 'Agent ' || a, 'profile-' || a % 10, 'available', 'available', NULL, now() - interval '1 hour', NULL, NULL, NULL
FROM generate_series(0, 2999) AS a;

CREATE TEMPORARY TABLE made AS
SELECT n AS key, 'session-' || n AS session_id, 'queue-' || n % 50 AS queue_id,
    'agent-' || (n % 300) * 10 + (n % 50) / 5 AS agent_id, n > 1000000 AS live, n > 1009000 AS waiting,
    CASE WHEN n > 1000000 THEN now() - make_interval(secs => (1010000 - n) / 10.0)
         ELSE now() - make_interval(secs => 1000 + (1000000 - n) * 0.06) END AS requested_at
FROM generate_series(1, 1010000) AS n;

INSERT INTO fact_session_step (session_key, session_id, customer_name, customer_email, requested_at, requested_queue_id, queue_id, queue_name,
    state, state_since, queued_at, agent_id, agent_name, engaged_at, ended_at, completed_at, wait_ms, segments, offers, declines, expiries,
    legs, transfers, engaged_ms, wrap_up_ms, first_response_ms, help_requests, helped, time_to_help_ms, watches, short_abandon, end_reason)
SELECT key, session_id, 'Customer', 'customer@example.org', requested_at, queue_id, queue_id, 'Queue',
    CASE WHEN waiting THEN 'queued' WHEN live THEN 'engaged' ELSE 'concluded' END, requested_at + interval '17 seconds', requested_at,
    CASE WHEN NOT waiting THEN agent_id END, CASE WHEN NOT waiting THEN 'Agent' END,
    CASE WHEN NOT waiting THEN requested_at + interval '17 seconds' END, CASE WHEN NOT live THEN requested_at + interval '10 minutes' END,
    CASE WHEN NOT live THEN requested_at + interval '10 minutes' END, 17000, 1, 1, 0, 0, 1, 0, 583000, 0, 30000, 0, 0, 0, 0, false,
    CASE WHEN NOT live THEN 'agent' END
FROM made ORDER BY key;

INSERT INTO fact_session_activity (session_key, revision, messages, customer_messages, agent_messages, supervisor_messages, private_messages,
    last_customer_message_at, last_agent_message_at)
SELECT key, 12, 8, 4, 4, 0, 0, requested_at + interval '1 minute', requested_at + interval '2 minutes' FROM made ORDER BY key;

INSERT INTO fact_queue_segment (segment_key, session_key, queue_id, queue_name, service_level_ms, enqueued_at, dequeued_at, wait_ms, outcome,
    in_target, agent_id, span)
SELECT key, key, queue_id, 'Queue', 30000, requested_at, CASE WHEN NOT waiting THEN requested_at + interval '17 seconds' END,
    CASE WHEN NOT waiting THEN 17000 END, CASE WHEN NOT waiting THEN 'answered' END, NOT waiting, CASE WHEN NOT waiting THEN agent_id END,
    CASE WHEN NOT waiting THEN 0 END
FROM made ORDER BY key;

INSERT INTO fact_agent_leg (leg_key, session_key, agent_id, agent_name, queue_id, assigned, started_at, ended_at, closed_at, engaged_ms,
    wrap_up_ms, end_reason, span)
SELECT key, key, agent_id, 'Agent', queue_id, false, requested_at + interval '17 seconds', CASE WHEN NOT live THEN requested_at + interval '10 minutes' END,
    CASE WHEN NOT live THEN requested_at + interval '10 minutes' END, CASE WHEN NOT live THEN 583000 END, CASE WHEN NOT live THEN 0 END,
    CASE WHEN NOT live THEN 'agent' END, CASE WHEN NOT live THEN 2 END
FROM made WHERE NOT waiting ORDER BY key;

INSERT INTO fact_slot (slot_key, staff_id, session_id, reservation_id, purpose, reserved_at, released_at, held_ms, span)
SELECT key, agent_id, session_id, 'r', 'engagement', requested_at + interval '17 seconds', CASE WHEN NOT live THEN requested_at + interval '10 minutes' END,
    CASE WHEN NOT live THEN 583000 END, CASE WHEN NOT live THEN 2 END
FROM made WHERE NOT waiting ORDER BY key;

INSERT INTO fact_monitoring (monitoring_key, session_key, session_id, supervisor_id, supervisor_name, queue_id, agent_id, agent_name, started_at,
    private_messages, public_messages)
SELECT key, key, session_id, 'agent-7', 'Agent 7', queue_id, agent_id, 'Agent', requested_at + interval '1 minute', 1, 0
FROM made WHERE live AND NOT waiting AND key % 90 = 0;

INSERT INTO transcript_session (session_key, session_id) SELECT key, session_id FROM made ORDER BY key;
INSERT INTO transcript_entry (session_key, revision, event_type, occurred_at, visibility, public_sender_role, public_sender_name, public_text,
    customer_seq, agent_seq, supervisor_seq, auditor_seq)
SELECT m.key, r, 'PublicMessageSent', m.requested_at + make_interval(secs => r), 'public', CASE WHEN r % 2 = 0 THEN 'customer' ELSE 'agent' END,
    'Somebody', 'A message of about forty letters, as many are', r, r, r, r
FROM made AS m, generate_series(4, 11) AS r ORDER BY m.key, r;

INSERT INTO agg_queue_15m (queue_id, bucket_at, offered, answered, answered_in_target, assigned, transferred, closed, abandoned, short_abandoned,
    answered_wait_ms, abandoned_wait_ms, handled, engaged_ms, wrap_up_ms, responded, first_response_ms, helped, time_to_help_ms)
SELECT queue_id, date_bin('15 minutes', requested_at, 'epoch'), count(*), count(*), count(*), 0, 0, 0, 0, 0, 17000 * count(*), 0, count(*),
    583000 * count(*), 0, count(*), 30000 * count(*), 0, 0
FROM made GROUP BY 1, 2;

INSERT INTO checkpoint (name, position, epoch, version, events, lag_events, lag_ms, updated_at)
SELECT name, 1010000, 1, 1, 1010000, 0, 0, now() FROM unnest(ARRAY['directory', 'staffing', 'sessions', 'transcript']) AS p (name);
