-- What the roles of migration 9 may read. Views show what their owner may see; tables with what people wrote or who the
-- customers are stay closed to analysts. Nothing is granted where a role does not exist. Everything is named: the schema can
-- hold what is somebody else's, such as an extension's.

REVOKE EXECUTE ON FUNCTION queue_snapshot_at(timestamptz), queue_snapshot_agent_at(timestamptz),
    queue_snapshot_session_at(timestamptz) FROM PUBLIC;

DO $$
DECLARE
    place    text   := format('%I', current_schema());
    numbers  text[] := ARRAY[
        'dim_queue', 'dim_profile', 'dim_profile_queue', 'dim_staff', 'fact_session', 'fact_session_activity',
        'fact_queue_segment', 'fact_agent_leg', 'fact_staff_status', 'fact_slot', 'fact_monitoring', 'fact_access',
        'agg_queue_15m', 'agg_agent_15m', 'agent_handling_15m', 'agent_time_15m', 'queue_snapshot', 'queue_snapshot_agent',
        'checkpoint', 'parked_event'];
    personal text[] := ARRAY[
        'transcript_session', 'transcript_entry', 'transcript_customer', 'transcript_agent', 'transcript_supervisor',
        'transcript_auditor', 'fact_session_step', 'staff_duty', 'queue_snapshot_session', 'process_state', 'log_origin',
        'swap_gate', 'script_run', 'goose_db_version'];
    item     text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'chatwatch_bi') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO chatwatch_bi', place);
        FOREACH item IN ARRAY numbers || personal LOOP
            EXECUTE format('REVOKE ALL ON %s.%I FROM chatwatch_bi', place, item);
        END LOOP;
        FOREACH item IN ARRAY numbers LOOP
            EXECUTE format('GRANT SELECT ON %s.%I TO chatwatch_bi', place, item);
        END LOOP;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %1$s.queue_snapshot_at(timestamptz), %1$s.queue_snapshot_agent_at(timestamptz) TO chatwatch_bi', place);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'chatwatch_auditor') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO chatwatch_auditor', place);
        FOREACH item IN ARRAY numbers || personal LOOP
            EXECUTE format('GRANT SELECT ON %s.%I TO chatwatch_auditor', place, item);
        END LOOP;
        EXECUTE format('GRANT EXECUTE ON FUNCTION %1$s.queue_snapshot_at(timestamptz), %1$s.queue_snapshot_agent_at(timestamptz), '
                       '%1$s.queue_snapshot_session_at(timestamptz) TO chatwatch_auditor', place);
    END IF;
END
$$;
