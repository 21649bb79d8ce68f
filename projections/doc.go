// Package projections is the engine of the read side: it follows the log once for all projections of a group, folds each
// batch of events in plain Go, and stores the rows and the checkpoints in one transaction. Each folder below it answers one
// question: its rows, its fold, its queries and their tests. The engine knows what no event means.
//
// Invariants:
//   - Rows and checkpoint move together: a crash at any moment leaves tables that equal a rebuild up to the checkpoint.
//   - One engine at a time has the lease of a projection, which expires by the clock of the database unless it is renewed. Whoever
//     takes it makes the epoch one more. All leases of a group are taken together, and an engine without them stands by: it
//     only looks how far the rows are.
//   - A checkpoint moves from the position that was read, in the epoch that was taken, or not at all: an engine that another
//     has replaced writes nothing, however late it comes, and stands by.
//   - Where the database allows it (Detached), what is folded is staged at once in the form in which it is sent, and the next batch
//     is folded while the last is being committed. Batches are committed in order, one at a time, and a fold that reads rows
//     waits for the one under way: it never reads what is behind its own state.
//   - A rebuild folds into tables beside the live ones, with checkpoints and leases of their own, and takes the live leases only to
//     swap. Tables, checkpoints and parked events change hands in one transaction, behind a gate that each View holds: a moment of
//     the database is wholly before a swap or wholly after it. What the fresh set knew of its place is gone with it, so that no
//     later rebuild continues from tables that are empty.
//   - An event that cannot be decoded or folded parks its stream, for the projection that could not: it and what follows
//     in the stream is listed in parked_event, in order, and all other streams go on. RetryParked or a rebuild brings them back.
//   - A failure of the database is retried with growing pauses, and nothing is skipped for it.
//   - What is remembered of rows between batches is dropped when a transaction fails.
package projections
