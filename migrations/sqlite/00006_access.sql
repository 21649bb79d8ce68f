-- +goose Up

-- Who read or exported what: one row each reading that leaves a record. What agents and customers read of their own sessions
-- leaves none, unless an agent exports it.
CREATE TABLE fact_access (
    access_key      INTEGER NOT NULL,  -- position of the event in the log
    accessed_at     INTEGER NOT NULL,  -- time; the same read again within a minute is the same reading, unless it is an export
    reader_id       TEXT NOT NULL,     -- subject of the reader's token: for staff the staff id
    reader_role     TEXT NOT NULL,     -- of the token: staff, admin or auditor
    kind            TEXT NOT NULL,     -- what was read: transcript, live, events, replay, supervision, access, snapshot or log
    session_id      TEXT,              -- session that was read, or to which a list was narrowed; NULL for several
    queue_id        TEXT,              -- queue of the session at the time, or to which a list was narrowed
    as_role         TEXT,              -- whose view was shown: customer, agent, supervisor or auditor; NULL where there is one view
    format          TEXT NOT NULL,     -- json, sse (live), client (of EventStoreDB), or of an export: text, csv, html
    replay_revision INTEGER,           -- revision of the session up to which a replay was asked for
    replay_at       INTEGER,           -- past time that was asked for, of a replay or a snapshot
    stream          TEXT NOT NULL,     -- of the event
    revision        INTEGER NOT NULL,  -- of the event in its stream
    CONSTRAINT fact_access_pk PRIMARY KEY (access_key),
    CONSTRAINT fact_access_event UNIQUE (stream, revision)
) STRICT;

CREATE INDEX fact_access_by_time ON fact_access (accessed_at, access_key);
CREATE INDEX fact_access_by_session ON fact_access (session_id, accessed_at, access_key) WHERE session_id IS NOT NULL;
CREATE INDEX fact_access_by_reader ON fact_access (reader_id, accessed_at, access_key);
CREATE INDEX fact_access_by_reader_and_kind ON fact_access (reader_id, kind, accessed_at, access_key);
CREATE INDEX fact_access_by_kind ON fact_access (kind, accessed_at, access_key);
