// Package projections is the engine of the read side: it follows the log once for all projections of a group, folds each
// batch of events in plain Go, and stores the rows and the checkpoints in one transaction. Each folder below it answers one
// question: its rows, its fold, its queries and their tests. The engine knows what no event means.
//
// Invariants:
//   - Rows and checkpoint move together: a crash at any moment leaves tables that equal a rebuild up to the checkpoint.
//   - A checkpoint moves from the position that was read, in the epoch that was taken, or not at all: an engine that another
//     has replaced stops with ErrSuperseded and has written nothing.
//   - An event that cannot be decoded or folded parks its stream, for the projection that could not: it and what follows
//     in the stream is listed in parked_event, in order, and all other streams go on. Rebuilding is how they come back.
//   - A failure of the database is retried with growing pauses, and nothing is skipped for it.
//   - What is remembered of rows between batches is dropped when a transaction fails.
package projections
