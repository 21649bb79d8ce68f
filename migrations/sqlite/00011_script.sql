-- +goose Up

-- Which scripts of views were run last, so that a start does not run them again.
CREATE TABLE script_run (
    name   TEXT NOT NULL,  -- of the scripts
    digest TEXT NOT NULL,  -- SHA-256 of their text
    CONSTRAINT script_run_pk PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
