-- Staff members get a row for each version of their name and profile, a row of their duty, and their time by quarter of an
-- hour; stretches of time get their length and its class. None of that can be told from the rows of before, so the tables are
-- made anew, and the projection is taken back to the start of the log: it fills them when it runs next.

-- +goose Up

DROP TABLE dim_staff;
DROP TABLE fact_staff_status;
DROP TABLE fact_slot;
DELETE FROM parked_event WHERE projection = 'staffing';
UPDATE checkpoint SET position = 0 WHERE name = 'staffing';

-- Staff members, as they are and as they were: one row a version. Versions follow each other without a gap.
CREATE TABLE dim_staff (
    staff_id      TEXT NOT NULL,     -- given by the administrator
    revision      INTEGER NOT NULL,  -- of the event in the member's stream that began the version
    name          TEXT NOT NULL,     -- for people
    profile_id    TEXT NOT NULL,     -- of dim_profile
    registered_at INTEGER NOT NULL,  -- time of the first registration
    valid_from    INTEGER NOT NULL,  -- time from which this version holds
    valid_to      INTEGER,           -- time at which the next one began; NULL: it holds now
    is_current    INTEGER NOT NULL,  -- boolean: it holds now
    CONSTRAINT dim_staff_pk PRIMARY KEY (staff_id, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX dim_staff_current ON dim_staff (staff_id) WHERE is_current;

-- Staff members, as they are now.
CREATE TABLE staff_duty (
    staff_id        TEXT NOT NULL,     -- given by the administrator
    name            TEXT NOT NULL,     -- for people
    profile_id      TEXT NOT NULL,     -- of dim_profile
    logged_in       INTEGER NOT NULL,  -- boolean: on duty
    status          TEXT,              -- available, unavailable, in_meeting or on_break; NULL while logged out
    status_since    INTEGER,           -- time of the last change of status, login or logout
    logged_in_at    INTEGER,           -- time at which the present duty began; NULL while logged out
    registered_at   INTEGER NOT NULL,  -- time of the first registration
    revision        INTEGER NOT NULL,  -- of the last event in the member's stream
    accounted_until INTEGER,           -- time up to which the member's time stands in agent_time_15m
    sessions_in_use INTEGER NOT NULL,  -- slots that the member holds: rows of fact_slot that are not released
    CONSTRAINT staff_duty_pk PRIMARY KEY (staff_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX staff_duty_logged_in ON staff_duty (staff_id) WHERE logged_in;

-- What staff members did on duty: one row for each stretch of time in one status.
CREATE TABLE fact_staff_status (
    status_key  INTEGER NOT NULL,  -- position of the event that began it
    staff_id    TEXT NOT NULL,     -- of dim_staff
    staff_name  TEXT NOT NULL,     -- as it was
    profile_id  TEXT NOT NULL,     -- as it was when the stretch began
    status      TEXT NOT NULL,     -- available, unavailable, in_meeting or on_break
    status_type TEXT NOT NULL,     -- available (offers come) or unavailable
    reason      TEXT,              -- as the member gave it
    started_at  INTEGER NOT NULL,  -- time
    ended_at    INTEGER,           -- time; NULL while it lasts
    status_ms   INTEGER,           -- ended − started
    span        INTEGER,           -- class of ended − started: the least k with less than 4^k minutes, 11 at most
    CONSTRAINT fact_staff_status_pk PRIMARY KEY (status_key)
) STRICT;

CREATE INDEX fact_staff_status_open ON fact_staff_status (staff_id) WHERE ended_at IS NULL;
CREATE INDEX fact_staff_status_span ON fact_staff_status (span, started_at);
CREATE INDEX fact_staff_status_by_staff ON fact_staff_status (staff_id, started_at);

-- Sessions in use: one row for each stretch of time in which a member's slot was held for one purpose. Wrap-up holds no slot.
CREATE TABLE fact_slot (
    slot_key       INTEGER NOT NULL,  -- position of the event that began it
    staff_id       TEXT NOT NULL,     -- whose slot
    session_id     TEXT NOT NULL,     -- what it was held for
    reservation_id TEXT NOT NULL,     -- of the slot
    purpose        TEXT NOT NULL,     -- offer, engagement or monitoring
    reserved_at    INTEGER NOT NULL,  -- time
    released_at    INTEGER,           -- time, also of a change of purpose; NULL while it is held
    held_ms        INTEGER,           -- released − reserved
    span           INTEGER,           -- class of released − reserved: the least k with less than 4^k minutes, 11 at most
    CONSTRAINT fact_slot_pk PRIMARY KEY (slot_key)
) STRICT;

CREATE INDEX fact_slot_open ON fact_slot (staff_id) WHERE released_at IS NULL;
CREATE INDEX fact_slot_span ON fact_slot (span, reserved_at);

-- Time of staff members by quarter of an hour, in the quarter in which it passed. It is booked when something happens to the
-- member: time since then is still missing (staff_duty.accounted_until). A slot that is held for an engagement is time with a
-- session; wrap-up holds no slot, and is no such time.
--   occupancy = busy_ms / (busy_ms + idle_ms), concurrency = session_ms / busy_ms
CREATE TABLE agent_time_15m (
    agent_id      TEXT NOT NULL,     -- staff id
    bucket_at     INTEGER NOT NULL,  -- time at which the quarter begins
    logged_in_ms  INTEGER NOT NULL,  -- on duty, in whatever status
    available_ms  INTEGER NOT NULL,  -- in a status in which offers come
    busy_ms       INTEGER NOT NULL,  -- with at least one session
    session_ms    INTEGER NOT NULL,  -- sum over the sessions of the time with each
    idle_ms       INTEGER NOT NULL,  -- available and without a session
    monitoring_ms INTEGER NOT NULL,  -- sum over the sessions that were watched or joined of the time with each
    CONSTRAINT agent_time_15m_pk PRIMARY KEY (agent_id, bucket_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_time_15m_by_quarter ON agent_time_15m (bucket_at);
