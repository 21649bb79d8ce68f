// Package access decides which readings leave a record: who read or exported what, for the auditors. It never holds what was
// read, and never decides who may read: that is done before.
package access

import (
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

// Kind says what was read.
type Kind string

// Kinds of what is read. OfLog is the log itself, by a program with a client of EventStoreDB.
const (
	OfTranscript  Kind = "transcript"
	OfLive        Kind = "live"   // the transcript as it grows, from the opening of the stream on
	OfEvents      Kind = "events" // of a session, as recorded
	OfReplay      Kind = "replay" // a session as it was
	OfSupervision Kind = "supervision"
	OfAccess      Kind = "access"   // this very record
	OfSnapshot    Kind = "snapshot" // the Queue Snapshot of a past time
	OfLog         Kind = "log"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{OfTranscript, OfLive, OfEvents, OfReplay, OfSupervision, OfAccess, OfSnapshot, OfLog}
}

// Format in which something was read.
type Format string

// Formats.
const (
	JSON   Format = "json"
	Text   Format = "text"
	CSV    Format = "csv"
	HTML   Format = "html"
	SSE    Format = "sse"    // Server-Sent Events
	Client Format = "client" // the protocol of EventStoreDB
)

// Exports tells whether what was read in the format is a document that goes on by itself.
func (f Format) Exports() bool { return slices.Contains([]Format{Text, CSV, HTML}, f) }

// Event is what happens to the record of a reader.
type Event interface{ accessEvent() }

// AccessRecorded says that somebody was given something to read.
type AccessRecorded struct {
	ReaderID   string      `json:"reader_id"`   // subject of the token
	ReaderRole domain.Role `json:"reader_role"` // of the token: staff, admin or auditor
	Kind       Kind        `json:"kind"`        // what was read: transcript, live, events, replay, supervision, access, snapshot or log
	// SessionID is the session that was read, or to which a list was narrowed.
	SessionID domain.SessionID `json:"session_id,omitempty"`
	// QueueID is the queue of the session at that time, or the one to which a list was narrowed.
	QueueID domain.QueueID `json:"queue_id,omitempty"`
	// As is the role whose view was shown.
	As     domain.Role `json:"as,omitempty"`
	Format Format      `json:"format"` // json, sse or client; of an export text, csv or html
	// Revision of the session up to which a replay was asked for.
	Revision *uint64 `json:"revision,omitempty"`
	// At is the past time that was asked for.
	At         *time.Time `json:"at,omitempty"`
	AccessedAt time.Time  `json:"accessed_at"`
}

func (AccessRecorded) accessEvent() {}
