// Package readstore is the database of the read models: opening and migrating it, transactions of the one writer, bulk
// writing of rows that are described by a Go struct, and reading. It is SQLite today; what differs on PostgreSQL stands
// behind Dialect and Tx, so that nothing in a fold or a query names a database. It knows nothing of events and decides
// nothing; everything in it can be built anew from the log, which is why it does not wait for the disk (synchronous=NORMAL:
// a power cut loses the last transactions whole, and the checkpoint of a projection is in the same transaction as its rows).
//
// Times are stored as integer microseconds since 1970 UTC: they sort, they compare with arithmetic, and cost an eighth of
// a text. For a person: strftime('%Y-%m-%dT%H:%M:%fZ', requested_at / 1e6, 'unixepoch'), which BI tools offer as "Unix
// microseconds". An absent time, text or number is NULL.
package readstore
