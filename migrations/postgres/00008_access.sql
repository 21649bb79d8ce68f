-- +goose Up

CREATE TABLE fact_access (
    access_key  bigint      NOT NULL,
    accessed_at timestamptz NOT NULL,
    reader_id   text,
    reader_role text        NOT NULL,
    kind        text        NOT NULL,
    session_id  text,
    as_role     text,
    format      text,
    CONSTRAINT fact_access_pk PRIMARY KEY (access_key)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE INDEX fact_access_by_session ON fact_access (session_id, access_key);
CREATE INDEX fact_access_by_reader ON fact_access (reader_id, access_key);

COMMENT ON TABLE fact_access IS 'Who read or exported what people wrote, one row each access.';
COMMENT ON COLUMN fact_access.access_key IS 'Position of the event in the log: grows with time.';
COMMENT ON COLUMN fact_access.accessed_at IS 'Time of the access.';
COMMENT ON COLUMN fact_access.reader_id IS 'Who read, as their token named them; NULL when it named nobody.';
COMMENT ON COLUMN fact_access.reader_role IS 'Role of the reader''s token: admin, staff, customer or auditor.';
COMMENT ON COLUMN fact_access.kind IS 'What was read, as transcript, events or replay.';
COMMENT ON COLUMN fact_access.session_id IS 'Session that was read; NULL when it was not one session.';
COMMENT ON COLUMN fact_access.as_role IS 'Role whose transcript was shown; NULL when it was no transcript.';
COMMENT ON COLUMN fact_access.format IS 'As json, text, csv, html or stream; NULL when there is but one.';
