// Package migrations holds the numbered schemas of the read databases, as goose reads them: one folder a database, forward
// only. The comments in them are the data dictionary. It decides nothing.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql postgres/views/*.sql
var files embed.FS

// Postgres returns the migrations of the PostgreSQL read database.
func Postgres() fs.FS { return folder("postgres") }

// PostgresScripts returns the scripts of views, functions and grants, which can be run any number of times.
func PostgresScripts() fs.FS { return folder("postgres/views") }

// SQLite returns the migrations of the SQLite read database.
func SQLite() fs.FS { return folder("sqlite") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		return files // cannot be: the folder is embedded
	}
	return sub
}
