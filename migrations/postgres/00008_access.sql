-- +goose Up

CREATE TABLE fact_access (
    access_key      bigint      NOT NULL,
    accessed_at     timestamptz NOT NULL,
    reader_id       text        NOT NULL,
    reader_role     text        NOT NULL,
    kind            text        NOT NULL,
    session_id      text,
    queue_id        text,
    as_role         text,
    format          text        NOT NULL,
    replay_revision bigint,
    replay_at       timestamptz,
    stream          text        NOT NULL,
    revision        bigint      NOT NULL,
    CONSTRAINT fact_access_pk PRIMARY KEY (access_key),
    CONSTRAINT fact_access_event UNIQUE (stream, revision)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE INDEX fact_access_by_time ON fact_access (accessed_at, access_key);
CREATE INDEX fact_access_by_session ON fact_access (session_id, accessed_at, access_key) WHERE session_id IS NOT NULL;
CREATE INDEX fact_access_by_reader ON fact_access (reader_id, accessed_at, access_key);
CREATE INDEX fact_access_by_reader_and_kind ON fact_access (reader_id, kind, accessed_at, access_key);
CREATE INDEX fact_access_by_kind ON fact_access (kind, accessed_at, access_key);

COMMENT ON TABLE fact_access IS 'Who read or exported what: one row each reading that leaves a record. What agents and customers read of their own sessions leaves none, unless an agent exports it.';
COMMENT ON COLUMN fact_access.access_key IS 'Position of the event in the log: grows with time.';
COMMENT ON COLUMN fact_access.accessed_at IS 'Time of the reading; the same read again within a minute is the same reading, unless it is an export.';
COMMENT ON COLUMN fact_access.reader_id IS 'Subject of the reader''s token: for staff the staff id.';
COMMENT ON COLUMN fact_access.reader_role IS 'Of the token: staff, admin or auditor.';
COMMENT ON COLUMN fact_access.kind IS 'What was read: transcript, live, events, replay, supervision, access, snapshot or log.';
COMMENT ON COLUMN fact_access.session_id IS 'Session that was read, or to which a list was narrowed; NULL for several.';
COMMENT ON COLUMN fact_access.queue_id IS 'Queue of the session at the time, or to which a list was narrowed, of dim_queue; NULL for all.';
COMMENT ON COLUMN fact_access.as_role IS 'Whose view was shown: customer, agent, supervisor or auditor; NULL where there is one view.';
COMMENT ON COLUMN fact_access.format IS 'json, sse (live), client (of EventStoreDB), or of an export: text, csv, html.';
COMMENT ON COLUMN fact_access.replay_revision IS 'Revision of the session up to which a replay was asked for; NULL when none was.';
COMMENT ON COLUMN fact_access.replay_at IS 'Past time that was asked for, of a replay or a snapshot; NULL when none was.';
COMMENT ON COLUMN fact_access.stream IS 'Of the event.';
COMMENT ON COLUMN fact_access.revision IS 'Of the event in its stream, from 0.';
