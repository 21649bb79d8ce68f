// Package wire serves any eventstore.Store over EventStoreDB's gRPC protocol, so that whoever has an official client, in
// any language, can read the log of an embedded installation, and so that the EventStoreDB adapter can be proven over the
// real protocol where no EventStoreDB can be had. In what a caller can see it behaves as EventStoreDB 24.10 does, with that
// server's status codes, trailers, inclusive and exclusive positions and sparse checkpoints; it is never kinder.
//
// It decides nothing about the product, knows bytes only, and never puts anything of an event into an error or a log line.
// It speaks with the stubs that the client's module ships: its messages register globally, so a second generated copy
// would end the process.
//
// # What is served
//
// Streams/Read (reads and subscriptions), Append, Delete and Tombstone; Gossip/Read with this server as the one member; and
// ServerFeatures, which leaves BatchAppend out so that clients use Append. All else is Unimplemented. Writing has to be
// allowed (Config.Writes), and names that begin with $ are never written to: they are what stores keep for themselves, and
// are in no read or subscription of $all. What the product could not read it may refuse (Config.Admit).
//
// # What callers may cost
//
// A caller is bounded in what one call can take: a name has the bytes that a store's may have, a regular expression becomes a
// small program only, an append has 30 s for each of its messages, and one that is refused is heard out for 5 s. A connection
// has at most 10,000 calls under way. A call ends at the time until which its caller's credentials are good, as soon as the
// caller takes what was being sent.
//
// # Deleting
//
// A store never removes anything, and the product must not lose a session because somebody has a client. So deleting a
// stream hides it from the callers of this server only: a mark is appended to the stream "$$<name>", which the product does
// not see, and everything else in the log stays as it was. Delete marks with a $metadata event {"$tb": n}: only events from
// revision n on are shown, the stream is not found while there are none, and it goes on counting when it is appended to
// again. Tombstone marks with $streamDeleted: the stream is gone for good. As in an EventStoreDB that has not been
// scavenged, what was deleted still stands in $all. This server is the only writer of those streams, one to a log, which is
// why it can remember what they say.
//
// # Content types
//
// The log has no room for a content type, and its events are JSON. Whatever content type an event came with, it is said to
// be JSON when it begins and ends as JSON does, and octets otherwise.
package wire
