// Package eventstoredb is the event store on an EventStoreDB or KurrentDB cluster, through the official client. It keeps the
// promises of eventstore.Store over a network, which the client alone does not:
//
//   - A call ends when its context does. The client can hang in its own making of connections, so every call runs in
//     another goroutine than its caller's, and who waits for it may leave.
//   - A connection that failed is replaced. The client's own reconnection leaks the connection before, and when it does not
//     find a server it closes the client for good and lets callers who wait for it hang. So a client is used for one
//     connection (see link), and a new one is made, with growing pauses, for as long as the store is open (see dialer).
//   - An append whose answer was lost is sent again with the same ids and the expected revision that it had, by which the
//     server recognises it.
//   - A subscription that was dropped goes on after the last event that came. What comes twice is dropped, a position that
//     nothing confirms is not told, and a log that came back shorter is refused.
//
// Calls wait for a lost connection for a while (WithPatience) and are then answered with eventstore.ErrUnavailable, at once
// until the connection stands again. Everything is asked of the leader, so that who has written sees what they wrote.
//
// The user needs to be allowed to read $all. Positions are commit positions: bytes of the log, not a count of events.
package eventstoredb
