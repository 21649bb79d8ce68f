// Package sqlitedb is the read database in a SQLite file: one writing connection, a pool of reading ones, and beside them,
// while a rebuild is prepared, a second file of the same schema. It decides nothing, and knows nothing of events.
package sqlitedb
