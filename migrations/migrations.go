// Package migrations holds the numbered schemas of the read databases, as goose reads them: one folder a database, forward
// only; and the scripts of views, which can be run any number of times. The comments of PostgreSQL's are the data dictionary.
// It decides nothing.
package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
)

//go:embed sqlite/*.sql sqlite/views/*.sql postgres/*.sql postgres/views/*.sql
var files embed.FS

// Postgres returns the migrations of the PostgreSQL read database.
func Postgres() fs.FS { return folder("postgres") }

// PostgresScripts returns the scripts of views, functions and grants, which can be run any number of times.
func PostgresScripts() fs.FS { return folder("postgres/views") }

// SQLite returns the migrations of the SQLite read database.
func SQLite() fs.FS { return folder("sqlite") }

// SQLiteScripts returns the scripts of views, which can be run any number of times.
func SQLiteScripts() fs.FS { return folder("sqlite/views") }

// Joined gives all scripts of a folder as one, in the order of their names.
func Joined(scripts fs.FS) (string, error) {
	names, err := fs.Glob(scripts, "*.sql") // sorted
	if err != nil {
		return "", err
	}
	var all []byte
	for _, name := range names {
		data, err := fs.ReadFile(scripts, name)
		if err != nil {
			return "", err
		}
		all = append(append(all, data...), '\n')
	}
	return string(all), nil
}

// Digest tells scripts from others.
func Digest(scripts string) string {
	sum := sha256.Sum256([]byte(scripts))
	return hex.EncodeToString(sum[:])
}

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		return files // cannot be: the folder is embedded
	}
	return sub
}
