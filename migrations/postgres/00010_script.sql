-- +goose Up

CREATE TABLE script_run (
    name   text NOT NULL,
    digest text NOT NULL,
    CONSTRAINT script_run_pk PRIMARY KEY (name)
);
COMMENT ON TABLE script_run IS 'Which scripts of views, functions and grants were run last, so that a start does not run them again.';
COMMENT ON COLUMN script_run.name IS 'Of the scripts.';
COMMENT ON COLUMN script_run.digest IS 'SHA-256 of their text, and the roles that were there to be granted to.';
