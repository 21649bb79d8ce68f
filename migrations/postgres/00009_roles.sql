-- Two roles for people who read the tables: chatwatch_bi and chatwatch_auditor. Roles belong to the whole cluster, so
-- another schema or another node may have made them already or be making them right now. What they may see is in
-- views/90_grants.sql. They have no password: an administrator gives them one, or lets them in by pg_hba.conf.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    wanted record;
    may    boolean := (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
    FOR wanted IN SELECT w.name, w.timeout FROM (VALUES ('chatwatch_bi', '5min'), ('chatwatch_auditor', '5min')) AS w (name, timeout)
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name);
        IF NOT may THEN
            RAISE NOTICE 'role % is missing and % may not create it: run as an administrator: %', wanted.name, current_user,
                format('CREATE ROLE %1$I LOGIN; ALTER ROLE %1$I SET default_transaction_read_only = on; '
                       'ALTER ROLE %1$I SET statement_timeout = %2$L; '
                       'ALTER ROLE %1$I SET idle_in_transaction_session_timeout = ''1min''', wanted.name, wanted.timeout);
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted.name);
            EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', wanted.name);
            EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', wanted.name, wanted.timeout);
            EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''1min''', wanted.name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another node was first
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd
