// Package postgres is the read database on PostgreSQL, through pgx: a pool of reading connections, one writing connection that
// sends a whole transaction at a time, and beside the live tables, while a rebuild is prepared, a second schema. It decides
// nothing, and knows nothing of events.
//
// Rows go to the server in its binary format, encoded straight from the structs: with COPY when many are written once,
// and as an array a column for one INSERT … SELECT … FROM unnest(…) ON CONFLICT otherwise. The statements of a
// transaction are sent in one go (pipeline mode) and their answers are read afterwards, so that a small transaction takes two
// round trips. Commits of the writer do not wait for the disk (synchronous_commit=off); see package readstore for why
// that loses nothing.
//
// Unqualified names mean the first schema of the connection's search_path. A rebuild uses <schema>_rebuild, and for the
// moment of the swap <schema>_retired. Each process names its writing connection (application_name), so that whoever takes
// over a lease can end what a process that was stopped left in the middle of a transaction.
package postgres
