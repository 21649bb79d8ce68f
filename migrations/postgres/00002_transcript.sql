-- +goose Up

CREATE TABLE transcript_session (
    session_key bigint NOT NULL,
    session_id  text   NOT NULL,
    CONSTRAINT transcript_session_pk PRIMARY KEY (session_key),
    CONSTRAINT transcript_session_id UNIQUE (session_id)
);

COMMENT ON TABLE transcript_session IS 'The sessions that have a transcript.';
COMMENT ON COLUMN transcript_session.session_key IS 'Position of the session''s first event in the log: grows with time.';
COMMENT ON COLUMN transcript_session.session_id IS 'As everybody else knows the session.';

CREATE TABLE transcript_entry (
    session_key        bigint      NOT NULL,
    revision           bigint      NOT NULL,
    event_type         text        NOT NULL,
    occurred_at        timestamptz NOT NULL,
    visibility         text        NOT NULL,
    public_sender_role text,
    public_sender_name text,
    public_text        text,
    sender_id          text,
    sender_role        text,
    sender_name        text,
    staff_text         text,
    customer_seq       bigint,
    agent_seq          bigint,
    supervisor_seq     bigint,
    auditor_seq        bigint,
    own_staff_id       text,
    own_seq            bigint,
    CONSTRAINT transcript_entry_event UNIQUE (session_key, revision)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX transcript_entry_own ON transcript_entry (session_key, own_staff_id, revision) WHERE own_staff_id IS NOT NULL;

COMMENT ON TABLE transcript_entry IS 'What happened in a session, one row an event. Read it through the views transcript_customer, transcript_agent, transcript_supervisor and transcript_auditor, each of which shows one audience what that audience sees. The public columns hold all that a customer can get; the other columns are for staff.';
COMMENT ON COLUMN transcript_entry.session_key IS 'Of transcript_session.';
COMMENT ON COLUMN transcript_entry.revision IS 'Of the event in its stream, from 0; internal, it counts what others see.';
COMMENT ON COLUMN transcript_entry.event_type IS 'Wire name of the event.';
COMMENT ON COLUMN transcript_entry.occurred_at IS 'Time at which it happened.';
COMMENT ON COLUMN transcript_entry.visibility IS 'public: the customer sees the event; private: only staff do.';
COMMENT ON COLUMN transcript_entry.public_sender_role IS 'customer, agent or supervisor, as the customer sees it; NULL when nobody is named to them.';
COMMENT ON COLUMN transcript_entry.public_sender_name IS 'Of the sender, as the customer sees it; NULL when nobody is named to them.';
COMMENT ON COLUMN transcript_entry.public_text IS 'As the customer sees it; NULL when there is none for them, or once redacted.';
COMMENT ON COLUMN transcript_entry.sender_id IS 'Staff id of the sender; NULL for the customer and when nobody is named.';
COMMENT ON COLUMN transcript_entry.sender_role IS 'For staff; NULL where it is as the customer sees it.';
COMMENT ON COLUMN transcript_entry.sender_name IS 'For staff; NULL where it is as the customer sees it.';
COMMENT ON COLUMN transcript_entry.staff_text IS 'For staff; NULL where it is as the customer sees it, or once redacted.';
COMMENT ON COLUMN transcript_entry.customer_seq IS 'Running number of the entries that the customer sees, from 1; NULL when they do not see this one.';
COMMENT ON COLUMN transcript_entry.agent_seq IS 'Running number of the entries that every agent of the session sees, from 1; NULL for others.';
COMMENT ON COLUMN transcript_entry.supervisor_seq IS 'Running number of the entries that a supervisor who watches sees, from 1; NULL for others.';
COMMENT ON COLUMN transcript_entry.auditor_seq IS 'Running number of the entries that an auditor sees, from 1; NULL for others.';
COMMENT ON COLUMN transcript_entry.own_staff_id IS 'Staff id of the one agent who sees the entry besides supervisors; NULL for other entries.';
COMMENT ON COLUMN transcript_entry.own_seq IS 'Running number of the entries that only this agent sees, from 1; NULL for other entries.';
