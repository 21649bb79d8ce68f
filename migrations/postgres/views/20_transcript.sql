-- Default deny: a view shows an entry when the audience has a number for it, and names the columns that it shows.

CREATE OR REPLACE VIEW transcript_customer AS
SELECT s.session_id, e.revision, e.customer_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.public_sender_role AS sender_role, e.public_sender_name AS sender_name, coalesce(e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.customer_seq IS NOT NULL;

CREATE OR REPLACE VIEW transcript_agent AS
SELECT s.session_id, e.revision, e.agent_seq, e.own_staff_id, e.own_seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.agent_seq IS NOT NULL OR e.own_staff_id IS NOT NULL;

CREATE OR REPLACE VIEW transcript_supervisor AS
SELECT s.session_id, e.revision, e.supervisor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.supervisor_seq IS NOT NULL;

CREATE OR REPLACE VIEW transcript_auditor AS
SELECT s.session_id, e.revision, e.auditor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.auditor_seq IS NOT NULL;

COMMENT ON VIEW transcript_customer IS 'The correspondence of a session as its customer sees it.';
COMMENT ON VIEW transcript_agent IS 'The correspondence of a session as its agents see it. Entries with own_staff_id are for that agent only.';
COMMENT ON VIEW transcript_supervisor IS 'The correspondence of a session as a supervisor who watches it sees it.';
COMMENT ON VIEW transcript_auditor IS 'Everything that happened in a session.';

-- The views have the same columns, and what differs stands in the name.
DO $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT a.attrelid::regclass AS view, a.attname AS name, c.comment
        FROM pg_attribute AS a JOIN (VALUES
            ('session_id', 'As everybody else knows the session.'),
            ('revision', 'Of the event in its stream, from 0; for the order, never to be shown: it counts what the audience does not see.'),
            ('seq', 'Running number of what the audience sees, from 1.'),
            ('agent_seq', 'Running number of the entries that every agent of the session sees, from 1; NULL for others.'),
            ('own_staff_id', 'Staff id of the one agent who sees the entry; NULL for entries that all see.'),
            ('own_seq', 'Running number of the entries that only this agent sees, from 1; NULL for entries that all see.'),
            ('occurred_at', 'Time at which it happened.'),
            ('event_type', 'Wire name of the event.'),
            ('visibility', 'public: the customer sees the event; private: only staff do.'),
            ('sender_id', 'Staff id of the sender; NULL for the customer and when nobody is named.'),
            ('sender_role', 'customer, agent or supervisor; NULL when nobody is named.'),
            ('sender_name', 'Of the sender; NULL when nobody is named.'),
            ('text', 'What was written; empty when nothing was, or once redacted.')) AS c (name, comment) ON c.name = a.attname
        WHERE a.attrelid IN ('transcript_customer'::regclass, 'transcript_agent'::regclass, 'transcript_supervisor'::regclass,
                             'transcript_auditor'::regclass)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', told.view, told.name, told.comment);
    END LOOP;
END
$$;
