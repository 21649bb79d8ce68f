-- +goose Up

-- Staff members, as they are now.
CREATE TABLE dim_staff (
    staff_id      TEXT NOT NULL,     -- given by the administrator
    name          TEXT NOT NULL,     -- for people
    profile_id    TEXT NOT NULL,     -- of dim_profile
    logged_in     INTEGER NOT NULL,  -- boolean: on duty
    status        TEXT,              -- available, unavailable, in_meeting or on_break; NULL while logged out
    status_since  INTEGER,           -- time of the last change of status, login or logout
    logged_in_at  INTEGER,           -- time at which the present duty began; NULL while logged out
    registered_at INTEGER NOT NULL,  -- time of the first registration
    valid_from    INTEGER NOT NULL,  -- time from which name and profile hold
    revision      INTEGER NOT NULL,  -- of the last event in the member's stream
    CONSTRAINT dim_staff_pk PRIMARY KEY (staff_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX dim_staff_on_duty ON dim_staff (staff_id) WHERE logged_in = 1;

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
    CONSTRAINT fact_staff_status_pk PRIMARY KEY (status_key)
) STRICT;

CREATE INDEX fact_staff_status_open ON fact_staff_status (staff_id) WHERE ended_at IS NULL;
CREATE INDEX fact_staff_status_ended ON fact_staff_status (ended_at);
CREATE INDEX fact_staff_status_by_staff ON fact_staff_status (staff_id, started_at);

-- Sessions in use: one row for each stretch of time in which a member's slot was held for one purpose.
CREATE TABLE fact_slot (
    slot_key       INTEGER NOT NULL,  -- position of the event that began it
    staff_id       TEXT NOT NULL,     -- whose slot
    session_id     TEXT NOT NULL,     -- what it was held for
    reservation_id TEXT NOT NULL,     -- of the slot
    purpose        TEXT NOT NULL,     -- offer, engagement or monitoring
    reserved_at    INTEGER NOT NULL,  -- time
    released_at    INTEGER,           -- time, also of a change of purpose; NULL while it is held
    CONSTRAINT fact_slot_pk PRIMARY KEY (slot_key)
) STRICT;

CREATE INDEX fact_slot_open ON fact_slot (staff_id) WHERE released_at IS NULL;
CREATE INDEX fact_slot_released ON fact_slot (released_at);
