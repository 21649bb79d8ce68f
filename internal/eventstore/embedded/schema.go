package embedded

import (
	"fmt"

	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const (
	schemaVersion = 1
	applicationID = 0x63776576 // "cwev"
	busyMillis    = 5000

	// The WAL is moved into the database file by a second connection from softFrames pages on; a WAL that readers keep
	// longer than hardFrames is reported. truncateBytes is what stays of the file when the WAL starts anew.
	softFrames = 4 << 10
	hardFrames = 64 << 10
	// checkpointWaitMillis is how long the writer may stand still for readers to leave the WAL.
	checkpointWaitMillis = 200
	truncateBytes        = 64 << 20
)

const schema = `
CREATE TABLE streams(
  sid INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE events(
  pos INTEGER PRIMARY KEY,   -- place in the log: dense, from 1
  sid INTEGER NOT NULL,
  rev INTEGER NOT NULL,      -- place in the stream: dense, from 0
  type TEXT NOT NULL,
  created INTEGER NOT NULL,  -- microseconds since 1970 UTC
  id BLOB NOT NULL,          -- 16 bytes
  meta BLOB,
  data BLOB
);
CREATE UNIQUE INDEX events_sr ON events(sid, rev);`

// openWriter opens the connection that writes, and makes the schema in a new file.
func openWriter(path string) (*sqlite.Conn, error) {
	c, err := sqlite.Open(path, sqlite.ReadWrite, busyMillis)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(c); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("prepare %s: %w", path, err)
	}
	return c, nil
}

// prepareFile configures the connection. A larger page cache costs more than it saves: every commit walks its table.
func prepareFile(c *sqlite.Conn) error {
	pragmas := fmt.Sprintf(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d;
		PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY`, truncateBytes)
	if err := c.Exec(pragmas); err != nil {
		return err
	}
	version, err := c.Int("PRAGMA user_version")
	if err != nil || version == schemaVersion {
		return err
	}
	if version != 0 {
		return fmt.Errorf("schema version %d is not known to this program (%d is)", version, schemaVersion)
	}
	tables, err := c.Int("SELECT count(*) FROM sqlite_master")
	if err != nil {
		return err
	}
	if tables != 0 {
		return fmt.Errorf("not an event store: the file holds other tables")
	}
	return c.Exec(fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
		schema, applicationID, schemaVersion))
}

// openReader opens a connection that reads a file which has its schema.
func openReader(path string) (*sqlite.Conn, error) {
	c, err := sqlite.Open(path, sqlite.ReadOnly, busyMillis)
	if err != nil {
		return nil, err
	}
	version, err := c.Int("PRAGMA user_version")
	if err == nil && version != schemaVersion {
		err = fmt.Errorf("schema version %d is not known to this program (%d is)", version, schemaVersion)
	}
	if err == nil {
		err = c.Exec("PRAGMA cache_size=-8192")
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return c, nil
}
