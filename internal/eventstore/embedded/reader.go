package embedded

import (
	"fmt"
	"math"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const (
	pageRows   = 1000
	pageBytes  = 4 << 20
	namesKept  = 64 << 10 // stream names that a connection remembers, each way
	typesKept  = 4 << 10
	chunkBytes = 16 << 10
)

const columns = "pos, sid, rev, type, created, id, meta, data"

// reader is a connection that reads pages, each a statement and so a short transaction of its own. It remembers names,
// which never change once they are committed.
type reader struct {
	conn  *sqlite.Conn
	head  *sqlite.Stmt
	name  *sqlite.Stmt
	sid   *sqlite.Stmt
	pages [4]*sqlite.Stmt // by source

	names map[int64]string
	sids  map[string]int64
	types map[string]string
	chunk []byte // rest of the memory from which the page's bytes are cut
	grain int    // size of the next chunk
}

// source is what a page is read from.
type source uint8

const (
	logForwards source = iota
	logBackwards
	streamForwards
	streamBackwards
)

var pageSQL = [4]string{
	logForwards:     "SELECT " + columns + " FROM events WHERE pos>?1 AND pos<=?2 ORDER BY pos LIMIT ?3",
	logBackwards:    "SELECT " + columns + " FROM events WHERE pos<=?1 ORDER BY pos DESC LIMIT ?2",
	streamForwards:  "SELECT " + columns + " FROM events WHERE sid=?1 AND rev>=?2 ORDER BY rev LIMIT ?3",
	streamBackwards: "SELECT " + columns + " FROM events WHERE sid=?1 AND rev<=?2 ORDER BY rev DESC LIMIT ?3",
}

func newReader(path string) (*reader, error) {
	conn, err := openReader(path)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: conn, names: map[int64]string{}, sids: map[string]int64{}, types: map[string]string{}}
	prepare := func(sql string) (s *sqlite.Stmt) {
		if err == nil {
			s, err = conn.Prepare(sql)
		}
		return s
	}
	r.head = prepare("SELECT max(pos) FROM events")
	r.name = prepare("SELECT name FROM streams WHERE sid=?1")
	r.sid = prepare("SELECT sid FROM streams WHERE name=?1")
	for i, sql := range pageSQL {
		r.pages[i] = prepare(sql)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return r, nil
}

// page is a step of a read.
type page struct {
	events []eventstore.Recorded // that pass the filter
	last   eventstore.Recorded   // position, and revision in a stream's page, of the last row that was looked at
	rows   int                   // that were looked at
	more   bool                  // there may be more after last
}

// logPage reads events of the log: forwards those in (from, to], backwards those up to from.
func (r *reader) logPage(backwards bool, from, to eventstore.Position, rows int, f eventstore.Filter) (page, error) {
	if backwards {
		return r.page(r.pages[logBackwards].Bind(0).BindInt(clamp(uint64(from))).BindInt(int64(rows)), rows, &f)
	}
	stmt := r.pages[logForwards].Bind(0).BindInt(clamp(uint64(from))).BindInt(clamp(uint64(to))).BindInt(int64(rows))
	return r.page(stmt, rows, &f)
}

// streamPage reads events of a stream from a revision on, inclusively.
func (r *reader) streamPage(sid int64, backwards bool, from uint64, rows int) (page, error) {
	stmt := r.pages[streamForwards]
	if backwards {
		stmt = r.pages[streamBackwards]
	}
	return r.page(stmt.Bind(0).BindInt(sid).BindInt(clamp(from)).BindInt(int64(rows)), rows, nil)
}

// page takes the events that pass the filter, all when it is nil.
func (r *reader) page(stmt *sqlite.Stmt, rows int, f *eventstore.Filter) (page, error) {
	var p page
	bytes := 0
	for {
		row, err := stmt.Step()
		if err != nil {
			return page{}, err
		}
		if !row {
			p.more = p.rows == rows
			return p, nil
		}
		p.rows++
		p.last.Position = eventstore.Position(stmt.Int(0))
		p.last.Revision = uint64(stmt.Int(2))
		stream, err := r.streamName(stmt.Int(1))
		if err != nil {
			stmt.Reset()
			return page{}, err
		}
		eventType := r.typeName(stmt.Bytes(3))
		if f != nil && !f.Matches(stream, eventType) {
			continue
		}
		e := eventstore.Recorded{Stream: stream, Revision: p.last.Revision, Position: p.last.Position}
		e.Type = eventType
		e.RecordedAt = time.UnixMicro(stmt.Int(4)).UTC()
		copy(e.ID[:], stmt.Bytes(5))
		e.Metadata = r.keep(stmt.Bytes(6))
		e.Data = r.keep(stmt.Bytes(7))
		p.events = append(p.events, e)
		if bytes += weight(&e); bytes >= pageBytes {
			stmt.Reset()
			p.more = true
			return p, nil
		}
	}
}

// keep copies bytes out of SQLite's memory into chunks that neighbouring events share: few allocations, and little that
// one kept event holds on to.
func (r *reader) keep(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if len(b) > chunkBytes/4 {
		return append([]byte(nil), b...)
	}
	if len(b) > len(r.chunk) {
		r.grain = min(max(2*r.grain, 1<<10, len(b)), chunkBytes)
		r.chunk = make([]byte, r.grain)
	}
	out := r.chunk[:len(b):len(b)]
	copy(out, b)
	r.chunk = r.chunk[len(b):]
	return out
}

// streamName is the name of a stream that has events.
func (r *reader) streamName(sid int64) (string, error) {
	if name, ok := r.names[sid]; ok {
		return name, nil
	}
	row, err := r.name.Bind(0).BindInt(sid).Step()
	if err != nil {
		return "", err
	}
	if !row {
		return "", fmt.Errorf("stream %d has no name", sid)
	}
	name := string(r.name.Bytes(0))
	r.name.Reset()
	if len(r.names) >= namesKept {
		clear(r.names)
	}
	r.names[sid] = name
	return name, nil
}

// streamID is the number of a stream, 0 when there is none.
func (r *reader) streamID(name string) (int64, error) {
	if sid, ok := r.sids[name]; ok {
		return sid, nil
	}
	row, err := r.sid.Bind(len(name)).BindText(name).Step()
	if err != nil || !row {
		return 0, err
	}
	sid := r.sid.Int(0)
	r.sid.Reset()
	if len(r.sids) >= namesKept {
		clear(r.sids)
	}
	r.sids[name] = sid
	return sid, nil
}

func (r *reader) typeName(b []byte) string {
	if s, ok := r.types[string(b)]; ok {
		return s
	}
	if len(r.types) >= typesKept {
		clear(r.types)
	}
	s := string(b)
	r.types[s] = s
	return s
}

// lastPosition is the position of the last event in the file.
func (r *reader) lastPosition() (eventstore.Position, error) {
	row, err := r.head.Bind(0).Step()
	if err != nil || !row {
		return eventstore.Start, err
	}
	defer r.head.Reset()
	return eventstore.Position(r.head.Int(0)), nil
}

// clamp makes a position or revision a bound that SQLite can hold.
func clamp(v uint64) int64 { return int64(min(v, math.MaxInt64)) }
