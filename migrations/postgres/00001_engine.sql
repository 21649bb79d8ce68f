-- The read models on PostgreSQL. Names are never qualified: the connection's search_path says where everything goes, so
-- that fresh tables can be built in a schema of their own and moved in. Views, functions and grants stand in views/, whose
-- scripts are executed after the migrations and after every such move, any number of times.

-- +goose Up

CREATE TABLE checkpoint (
    name       text        NOT NULL,
    position   bigint      NOT NULL,
    epoch      bigint      NOT NULL,
    holder     text,
    expires_at timestamptz,
    version    bigint      NOT NULL,
    events     bigint      NOT NULL,
    event_at   timestamptz,
    lag_events bigint      NOT NULL,
    lag_ms     bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT checkpoint_pk PRIMARY KEY (name)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

COMMENT ON TABLE checkpoint IS 'How far each projection has folded the log, and which process does it.';
COMMENT ON COLUMN checkpoint.name IS 'Of the projection.';
COMMENT ON COLUMN checkpoint.position IS 'In the log: everything up to it is in the projection''s tables.';
COMMENT ON COLUMN checkpoint.epoch IS 'Grows whenever another process takes the lease; who has an older one cannot write.';
COMMENT ON COLUMN checkpoint.holder IS 'Process that has the lease; NULL when none has.';
COMMENT ON COLUMN checkpoint.expires_at IS 'Time until which the lease holds, by the clock of the database; NULL when nobody has it.';
COMMENT ON COLUMN checkpoint.version IS 'Of the code that built the rows.';
COMMENT ON COLUMN checkpoint.events IS 'Events folded since the tables were empty.';
COMMENT ON COLUMN checkpoint.event_at IS 'Time at which the last event folded was recorded; NULL when none was.';
COMMENT ON COLUMN checkpoint.lag_events IS 'Events of the log not folded yet, as of updated_at; 0 or more.';
COMMENT ON COLUMN checkpoint.lag_ms IS 'Milliseconds from the recording of an event to its fold, as of updated_at; 0 or more.';
COMMENT ON COLUMN checkpoint.updated_at IS 'Time of the last change of this row.';

CREATE TABLE parked_event (
    projection  text        NOT NULL,
    position    bigint      NOT NULL,
    stream      text        NOT NULL,
    revision    bigint      NOT NULL,
    event_type  text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    cause       text        NOT NULL,
    CONSTRAINT parked_event_pk PRIMARY KEY (projection, position)
);

CREATE INDEX parked_event_by_stream ON parked_event (projection, stream, position);

COMMENT ON TABLE parked_event IS 'Events that a projection left out because they, or one before them in the same stream, could not be folded.';
COMMENT ON COLUMN parked_event.projection IS 'Which left the event out.';
COMMENT ON COLUMN parked_event.position IS 'Of the event in the log.';
COMMENT ON COLUMN parked_event.stream IS 'Of the event, as session-<id>.';
COMMENT ON COLUMN parked_event.revision IS 'Of the event in its stream, from 0.';
COMMENT ON COLUMN parked_event.event_type IS 'Wire name of the event.';
COMMENT ON COLUMN parked_event.recorded_at IS 'Time at which the log recorded the event.';
COMMENT ON COLUMN parked_event.cause IS 'Why the event could not be folded; never anything that people wrote.';

CREATE TABLE log_origin (
    store          text   NOT NULL,
    first_event    text,
    first_position bigint NOT NULL,
    CONSTRAINT log_origin_pk PRIMARY KEY (store)
);

COMMENT ON TABLE log_origin IS 'Which log the tables were built from, so that those of one log are never continued from another.';
COMMENT ON COLUMN log_origin.store IS 'Kind of event store, as embedded or eventstoredb.';
COMMENT ON COLUMN log_origin.first_event IS 'Id of the first event of the log; NULL while it was empty.';
COMMENT ON COLUMN log_origin.first_position IS 'Of that event in the log; 0 while it was empty.';

CREATE TABLE process_state (
    name       text        NOT NULL,
    position   bigint      NOT NULL,
    state      text        NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT process_state_pk PRIMARY KEY (name)
) WITH (fillfactor = 50);

COMMENT ON TABLE process_state IS 'What the process managers keep between events, so that a start need not read the whole log.';
COMMENT ON COLUMN process_state.name IS 'Of the process manager.';
COMMENT ON COLUMN process_state.position IS 'In the log: everything up to it is in the state.';
COMMENT ON COLUMN process_state.state IS 'Snapshot of the state, as the process manager writes it; for itself only.';
COMMENT ON COLUMN process_state.updated_at IS 'Time at which the snapshot was made.';

CREATE TABLE swap_gate (
    name text NOT NULL,
    CONSTRAINT swap_gate_pk PRIMARY KEY (name)
);

COMMENT ON TABLE swap_gate IS 'Always empty. Its lock is what counts: who reads several tables shares it, and a swap of rebuilt tables takes it alone, so that nobody sees half a swap.';
COMMENT ON COLUMN swap_gate.name IS 'Never written.';
