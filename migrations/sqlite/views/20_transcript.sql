-- Default deny: a view shows an entry when the audience has a number for it, and names the columns that it shows.

DROP VIEW IF EXISTS transcript_customer;
CREATE VIEW transcript_customer AS
SELECT s.session_id, e.revision, e.customer_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.public_sender_role AS sender_role, e.public_sender_name AS sender_name, coalesce(e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.customer_seq IS NOT NULL;

DROP VIEW IF EXISTS transcript_agent;
CREATE VIEW transcript_agent AS
SELECT s.session_id, e.revision, e.agent_seq, e.own_staff_id, e.own_seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.agent_seq IS NOT NULL OR e.own_staff_id IS NOT NULL;

DROP VIEW IF EXISTS transcript_supervisor;
CREATE VIEW transcript_supervisor AS
SELECT s.session_id, e.revision, e.supervisor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.supervisor_seq IS NOT NULL;

DROP VIEW IF EXISTS transcript_auditor;
CREATE VIEW transcript_auditor AS
SELECT s.session_id, e.revision, e.auditor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.auditor_seq IS NOT NULL;
