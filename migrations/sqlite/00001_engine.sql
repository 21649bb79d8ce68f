-- Times are integer microseconds since 1970 UTC, durations integer milliseconds (names end in _ms), booleans 0 or 1.

-- +goose Up

-- How far each projection has folded the log.
CREATE TABLE checkpoint (
    name        TEXT NOT NULL,     -- of the projection
    position    INTEGER NOT NULL,  -- in the log, up to which everything is in the projection's tables
    epoch       INTEGER NOT NULL,  -- grows whenever an engine takes over; an engine with an older one cannot write
    updated_at  INTEGER NOT NULL,  -- time of the last change
    CONSTRAINT checkpoint_pk PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- Events that a projection left out because they, or one before them in the same stream, could not be folded.
CREATE TABLE parked_event (
    projection  TEXT NOT NULL,     -- which left the event out
    position    INTEGER NOT NULL,  -- of the event in the log
    stream      TEXT NOT NULL,     -- of the event
    revision    INTEGER NOT NULL,  -- of the event in its stream
    event_type  TEXT NOT NULL,     -- wire name
    recorded_at INTEGER NOT NULL,  -- time, by the log
    cause       TEXT NOT NULL,     -- why it could not be folded; never anything that people wrote
    CONSTRAINT parked_event_pk PRIMARY KEY (projection, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_event_by_stream ON parked_event (projection, stream, position);
