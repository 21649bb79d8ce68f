// Package readstore is the seam between the read models and their database: reading, transactions of the one writer, and
// bulk writing of rows that are described by a Go struct. Two databases stand behind it, SQLite in package sqlitedb and
// PostgreSQL in package postgres; nothing in a fold or a query names one. It knows nothing of events and decides nothing.
//
// Queries are written once, in the SQL that both understand, with ? for a parameter and IN ? for a List. Text is UTF-8, and a
// NUL in it is stored as U+FFFD where the database cannot hold it. Times are timestamptz on PostgreSQL and integer microseconds
// since 1970 UTC on SQLite, booleans are boolean and 0 or 1; an absent time, text or number is NULL.
//
// Everything that is written through this package can be built anew from the log, which is why no commit waits for the disk:
// a crash of the database may lose the last transactions, whole, and the checkpoint of a projection is in the same transaction
// as its rows.
package readstore
