// Package embedded is the event store in one SQLite file, called in process: durable (WAL, synchronous=FULL), in total
// order, and fast through group commit. One goroutine writes. It takes all requests that wait, decides each by its
// stream's revision, inserts those that pass, commits once, publishes the events to an in-memory tail, and answers.
// Readers and followers have connections of their own and never hold the writer up.
//
// Invariants:
//   - Positions are dense, from 1, in the order of commits: a follower never sees a later one first.
//   - Nothing is answered, published or counted in a head before its COMMIT has returned.
//   - A request that is refused changes nothing for the others of its group.
//   - When a commit fails, all of its group get ErrUnavailable and what the writer remembers is read anew.
//   - One process at a time writes a file (a lock that ends with the process); others may open it read-only.
//
// It knows bytes only, and logs nothing of an event.
package embedded
