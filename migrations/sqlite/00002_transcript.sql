-- +goose Up

-- The sessions that have a transcript.
CREATE TABLE transcript_session (
    session_key INTEGER NOT NULL,  -- position of the session's first event in the log: grows with time
    session_id  TEXT NOT NULL,     -- as everybody else knows it
    CONSTRAINT transcript_session_pk PRIMARY KEY (session_key),
    CONSTRAINT transcript_session_id UNIQUE (session_id)
) STRICT;

-- What happened in a session, one row an event. Read it through the views below, each of which shows one audience what
-- that audience sees. The public columns hold all that a customer can get; the other columns are for staff.
CREATE TABLE transcript_entry (
    session_key        INTEGER NOT NULL,  -- of transcript_session
    revision           INTEGER NOT NULL,  -- of the event in its stream; internal, it counts what others see
    event_type         TEXT NOT NULL,     -- wire name
    occurred_at        INTEGER NOT NULL,  -- time
    visibility         TEXT NOT NULL,     -- public: the customer sees the event; private: only staff do
    public_sender_role TEXT,              -- customer, agent or supervisor, as the customer sees it
    public_sender_name TEXT,              -- as the customer sees it
    public_text        TEXT,              -- as the customer sees it; NULL once redacted
    sender_id          TEXT,              -- staff id; NULL for the customer
    sender_role        TEXT,              -- for staff; NULL where it is as the customer sees it
    sender_name        TEXT,              -- for staff; NULL where it is as the customer sees it
    staff_text         TEXT,              -- for staff; NULL where it is as the customer sees it, or redacted
    customer_seq       INTEGER,           -- running number of the customer's entries; NULL when they do not see it
    agent_seq          INTEGER,           -- of the entries that every agent of the session sees
    supervisor_seq     INTEGER,           -- of the entries that a supervisor who watches sees
    auditor_seq        INTEGER,           -- of the entries that an auditor sees
    own_staff_id       TEXT,              -- the one agent who sees the entry besides supervisors; NULL for other entries
    own_seq            INTEGER,           -- running number of the entries that only this agent sees
    CONSTRAINT transcript_entry_event UNIQUE (session_key, revision)
) STRICT;

CREATE INDEX transcript_entry_own ON transcript_entry (session_key, own_staff_id, revision) WHERE own_staff_id IS NOT NULL;

-- Default deny: a view shows an entry when the audience has a number for it, and names the columns that it shows.

CREATE VIEW transcript_customer AS
SELECT s.session_id, e.revision, e.customer_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.public_sender_role AS sender_role, e.public_sender_name AS sender_name, coalesce(e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.customer_seq IS NOT NULL;

CREATE VIEW transcript_agent AS
SELECT s.session_id, e.revision, e.agent_seq, e.own_staff_id, e.own_seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.agent_seq IS NOT NULL OR e.own_staff_id IS NOT NULL;

CREATE VIEW transcript_supervisor AS
SELECT s.session_id, e.revision, e.supervisor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.supervisor_seq IS NOT NULL;

CREATE VIEW transcript_auditor AS
SELECT s.session_id, e.revision, e.auditor_seq AS seq, e.occurred_at, e.event_type, e.visibility,
       e.sender_id, coalesce(e.sender_role, e.public_sender_role) AS sender_role,
       coalesce(e.sender_name, e.public_sender_name) AS sender_name, coalesce(e.staff_text, e.public_text, '') AS text
FROM transcript_session AS s JOIN transcript_entry AS e ON e.session_key = s.session_key
WHERE e.auditor_seq IS NOT NULL;
