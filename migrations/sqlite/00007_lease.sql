-- +goose Up

ALTER TABLE checkpoint ADD COLUMN holder TEXT;                         -- process that has the lease; NULL when none has
ALTER TABLE checkpoint ADD COLUMN expires_at INTEGER;                  -- time until which the lease holds; NULL when nobody has it
ALTER TABLE checkpoint ADD COLUMN version INTEGER NOT NULL DEFAULT 1;  -- of the code that built the rows
ALTER TABLE checkpoint ADD COLUMN events INTEGER NOT NULL DEFAULT 0;   -- events folded since the tables were empty
ALTER TABLE checkpoint ADD COLUMN event_at INTEGER;                    -- time at which the last of them was recorded; NULL when none was
ALTER TABLE checkpoint ADD COLUMN lag_events INTEGER NOT NULL DEFAULT 0; -- events of the log not folded yet, as of updated_at
ALTER TABLE checkpoint ADD COLUMN lag_ms INTEGER NOT NULL DEFAULT 0;   -- how long the oldest of them has been recorded, as of updated_at
