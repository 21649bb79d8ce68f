// Package migrations holds the numbered schemas of the read databases, as goose reads them: one folder a database, forward
// only. The comments in them are the data dictionary. It decides nothing.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var files embed.FS

// SQLite returns the migrations of the SQLite read database.
func SQLite() fs.FS {
	sub, err := fs.Sub(files, "sqlite")
	if err != nil {
		return files // cannot be: the folder is embedded
	}
	return sub
}
