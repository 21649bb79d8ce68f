-- +goose Up

CREATE TABLE dim_staff (
    staff_id      text        NOT NULL,
    revision      bigint      NOT NULL,
    name          text        NOT NULL,
    profile_id    text        NOT NULL,
    registered_at timestamptz NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    is_current    boolean     NOT NULL,
    CONSTRAINT dim_staff_pk PRIMARY KEY (staff_id, revision)
);

CREATE INDEX dim_staff_current ON dim_staff (staff_id) WHERE is_current;

COMMENT ON TABLE dim_staff IS 'Staff members, one row for each version of their name and profile (slowly changing dimension of type 2). Their duty is in staff_duty.';
COMMENT ON COLUMN dim_staff.staff_id IS 'Given by the administrator.';
COMMENT ON COLUMN dim_staff.revision IS 'Of the event in the member''s stream that began the version, from 0.';
COMMENT ON COLUMN dim_staff.name IS 'For people.';
COMMENT ON COLUMN dim_staff.profile_id IS 'Of dim_profile.';
COMMENT ON COLUMN dim_staff.registered_at IS 'Time of the first registration.';
COMMENT ON COLUMN dim_staff.valid_from IS 'Time from which name and profile hold.';
COMMENT ON COLUMN dim_staff.valid_to IS 'Time until which they held, exclusive; NULL while they hold.';
COMMENT ON COLUMN dim_staff.is_current IS 'Whether this is the version that holds now; true for one row of each member.';

CREATE TABLE staff_duty (
    staff_id        text        NOT NULL,
    name            text        NOT NULL,
    profile_id      text        NOT NULL,
    logged_in       boolean     NOT NULL,
    status          text,
    status_since    timestamptz,
    logged_in_at    timestamptz,
    registered_at   timestamptz NOT NULL,
    revision        bigint      NOT NULL,
    accounted_until timestamptz,
    sessions_in_use bigint      NOT NULL,
    CONSTRAINT staff_duty_pk PRIMARY KEY (staff_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);

CREATE INDEX staff_duty_on_duty ON staff_duty (staff_id) WHERE logged_in;

COMMENT ON TABLE staff_duty IS 'Staff members as they are now, one row each: whether they are on duty, and in which status.';
COMMENT ON COLUMN staff_duty.staff_id IS 'Of dim_staff.';
COMMENT ON COLUMN staff_duty.name IS 'For people.';
COMMENT ON COLUMN staff_duty.profile_id IS 'Of dim_profile.';
COMMENT ON COLUMN staff_duty.logged_in IS 'Whether they are on duty.';
COMMENT ON COLUMN staff_duty.status IS 'available, unavailable, in_meeting or on_break; NULL while logged out.';
COMMENT ON COLUMN staff_duty.status_since IS 'Time of the last change of status, login or logout; NULL before the first login.';
COMMENT ON COLUMN staff_duty.logged_in_at IS 'Time at which the present duty began; NULL while logged out.';
COMMENT ON COLUMN staff_duty.registered_at IS 'Time of the first registration.';
COMMENT ON COLUMN staff_duty.revision IS 'Of the last event in the member''s stream, from 0.';
COMMENT ON COLUMN staff_duty.accounted_until IS 'Time up to which the member''s time is in agent_time_15m; NULL before anything is.';
COMMENT ON COLUMN staff_duty.sessions_in_use IS 'Slots that the member holds: rows of fact_slot that are not released. Kept here, so that the snapshot need not count them.';

CREATE TABLE fact_staff_status (
    status_key  bigint      NOT NULL,
    staff_id    text        NOT NULL,
    staff_name  text        NOT NULL,
    profile_id  text        NOT NULL,
    status      text        NOT NULL,
    status_type text        NOT NULL,
    reason      text,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    status_ms   bigint,
    span        bigint,
    CONSTRAINT fact_staff_status_pk PRIMARY KEY (status_key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_staff_status_open ON fact_staff_status (staff_id) WHERE ended_at IS NULL;
CREATE INDEX fact_staff_status_by_staff ON fact_staff_status (staff_id, started_at);
CREATE INDEX fact_staff_status_by_span ON fact_staff_status (span, started_at);

COMMENT ON TABLE fact_staff_status IS 'What staff members did on duty: one row for each stretch of time in one status.';
COMMENT ON COLUMN fact_staff_status.status_key IS 'Position in the log of the event that began it: grows with time.';
COMMENT ON COLUMN fact_staff_status.staff_id IS 'Of dim_staff.';
COMMENT ON COLUMN fact_staff_status.staff_name IS 'As it was.';
COMMENT ON COLUMN fact_staff_status.profile_id IS 'As it was when the stretch began.';
COMMENT ON COLUMN fact_staff_status.status IS 'available, unavailable, in_meeting or on_break.';
COMMENT ON COLUMN fact_staff_status.status_type IS 'available (offers come) or unavailable.';
COMMENT ON COLUMN fact_staff_status.reason IS 'As the member gave it; NULL when they gave none.';
COMMENT ON COLUMN fact_staff_status.started_at IS 'Time at which it began.';
COMMENT ON COLUMN fact_staff_status.ended_at IS 'Time at which it ended; NULL while it lasts.';
COMMENT ON COLUMN fact_staff_status.status_ms IS 'ended_at - started_at in milliseconds; NULL while it lasts.';
COMMENT ON COLUMN fact_staff_status.span IS 'Class of duration, 0 to 11: class k lasted less than 4^k minutes, 11 any longer; NULL while it lasts. For finding what went on at a time.';

CREATE TABLE fact_slot (
    slot_key       bigint      NOT NULL,
    staff_id       text        NOT NULL,
    session_id     text        NOT NULL,
    reservation_id text        NOT NULL,
    purpose        text        NOT NULL,
    reserved_at    timestamptz NOT NULL,
    released_at    timestamptz,
    held_ms        bigint,
    span           bigint,
    CONSTRAINT fact_slot_pk PRIMARY KEY (slot_key)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX fact_slot_open ON fact_slot (staff_id) WHERE released_at IS NULL;
CREATE INDEX fact_slot_by_span ON fact_slot (span, reserved_at);

COMMENT ON TABLE fact_slot IS 'Sessions in use: one row for each stretch of time in which a member''s slot was held for one purpose.';
COMMENT ON COLUMN fact_slot.slot_key IS 'Position in the log of the event that began it: grows with time.';
COMMENT ON COLUMN fact_slot.staff_id IS 'Whose slot, of dim_staff.';
COMMENT ON COLUMN fact_slot.session_id IS 'What it was held for.';
COMMENT ON COLUMN fact_slot.reservation_id IS 'Of the slot.';
COMMENT ON COLUMN fact_slot.purpose IS 'offer, engagement or monitoring.';
COMMENT ON COLUMN fact_slot.reserved_at IS 'Time at which it began.';
COMMENT ON COLUMN fact_slot.released_at IS 'Time at which it ended, also by a change of purpose; NULL while it is held.';
COMMENT ON COLUMN fact_slot.held_ms IS 'released_at - reserved_at in milliseconds; NULL while it is held.';
COMMENT ON COLUMN fact_slot.span IS 'Class of duration, 0 to 11: class k lasted less than 4^k minutes, 11 any longer; NULL while it is held. For finding what went on at a time.';

CREATE TABLE agent_time_15m (
    agent_id      text        NOT NULL,
    bucket_at     timestamptz NOT NULL,
    logged_in_ms  bigint      NOT NULL,
    available_ms  bigint      NOT NULL,
    busy_ms       bigint      NOT NULL,
    session_ms    bigint      NOT NULL,
    idle_ms       bigint      NOT NULL,
    monitoring_ms bigint      NOT NULL,
    CONSTRAINT agent_time_15m_pk PRIMARY KEY (agent_id, bucket_at)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX agent_time_15m_by_bucket ON agent_time_15m (bucket_at);

COMMENT ON TABLE agent_time_15m IS 'How agents spent their time, by quarter of an hour (UTC), in the quarter in which it passed. It is booked when something happens to the member: time since then is still missing (staff_duty.accounted_until). Read it through agg_agent_15m.';
COMMENT ON COLUMN agent_time_15m.agent_id IS 'Staff id, of dim_staff.';
COMMENT ON COLUMN agent_time_15m.bucket_at IS 'Time at which the quarter begins.';
COMMENT ON COLUMN agent_time_15m.logged_in_ms IS 'Milliseconds on duty; 0 to 900,000.';
COMMENT ON COLUMN agent_time_15m.available_ms IS 'Milliseconds in a status of type available; 0 to 900,000.';
COMMENT ON COLUMN agent_time_15m.busy_ms IS 'Milliseconds with at least one session; 0 to 900,000. Time in wrap-up is none.';
COMMENT ON COLUMN agent_time_15m.session_ms IS 'Milliseconds summed over the sessions engaged: two at a time count twice. session_ms / busy_ms is the concurrency.';
COMMENT ON COLUMN agent_time_15m.idle_ms IS 'Milliseconds available without a session engaged. busy_ms / (busy_ms + idle_ms) is the occupancy.';
COMMENT ON COLUMN agent_time_15m.monitoring_ms IS 'Milliseconds summed over the sessions watched; never part of busy_ms or session_ms.';
