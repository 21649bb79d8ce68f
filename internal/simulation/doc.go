// Package simulation plays written conversations against a running server, over HTTP alone, as customers, agents and
// supervisors at once, and reads everything back afterwards. It knows what the interface promises and nothing of how the
// server keeps it.
//
// What it relies on and what it promises:
//
//   - The public messages of a played session are exactly the turns of its conversation, byte for byte and in order.
//     Everything else that it writes (questions, reasons, private messages) is made up, and what a customer must never
//     see carries a marker that is searched for in all that customers get.
//   - Every write has an idempotency key and is sent again under the same key when the answer did not come or the server
//     was not able to serve (connection errors, 429, 502, 503, 504). A server that is killed and started again must
//     neither lose nor double anything; reading everything back tells whether it did.
//   - What a conversation gets (watched, coached, joined, left by the customer, listened to) depends on its number
//     alone, so that two runs over one file do the same.
//   - A conversation that fails does not stop the others; it is closed by the administrator so that it holds no slot.
//
// Staff of a run are named after Config.Prefix. A run closes the sessions that an earlier one left with them, so two
// runs at a time need different prefixes. No text, name or token stands in an error or a report.
package simulation
