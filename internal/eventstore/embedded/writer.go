package embedded

import (
	"fmt"
	"runtime"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

const headsKept = 64 << 10 // streams whose last revision the writer remembers

// head is where a stream ends, as the writer's transaction sees it.
type head struct {
	sid int64
	rev int64 // -1 for a stream that has no event
}

// writer is the one goroutine that writes the file. What it remembers runs ahead of the commit inside a group, is seen
// by nobody else, and is dropped when the group fails.
type writer struct {
	conn       *sqlite.Conn
	statements statements
	opts       options
	tail       *tail
	requests   chan *request
	checkpoint *sqlite.Checkpointer

	heads   *simplelru.LRU[string, *head]
	recent  *recentIDs
	pos     eventstore.Position // of the last event
	sid     int64               // last number of a stream
	created int64               // of the last event, in microseconds
	stale   bool                // the three above are not known
	failing bool                // the last commit failed

	group    []*request
	inserted []eventstore.Recorded
}

// statements of the writer's connection.
type statements struct {
	begin, commit, stream, event, head, stored *sqlite.Stmt
}

func newWriter(conn *sqlite.Conn, o options, t *tail, c *sqlite.Checkpointer) (*writer, error) {
	heads, err := simplelru.NewLRU[string, *head](headsKept, nil)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, opts: o, tail: t, checkpoint: c, heads: heads, recent: newRecentIDs(recentKept)}
	w.requests = make(chan *request, o.groupRequests)
	prepare := func(sql string) (s *sqlite.Stmt) {
		if err == nil {
			s, err = conn.Prepare(sql)
		}
		return s
	}
	w.statements = statements{
		begin:  prepare("BEGIN IMMEDIATE"),
		commit: prepare("COMMIT"),
		stream: prepare("INSERT INTO streams(sid, name) VALUES(?1, ?2)"),
		event:  prepare("INSERT INTO events(" + columns + ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
		head:   prepare("SELECT sid, (SELECT max(rev) FROM events WHERE sid=s.sid) FROM streams s WHERE name=?1"),
		stored: prepare("SELECT id, pos FROM events WHERE sid=?1 AND rev>=?2 AND rev<?3 ORDER BY rev"),
	}
	if err != nil {
		return nil, err
	}
	if err := w.learn(); err != nil {
		return nil, err
	}
	if err := w.recent.load(conn); err != nil {
		return nil, err
	}
	t.advance(w.pos)
	return w, nil
}

// learn reads what the writer remembers from the file.
func (w *writer) learn() error {
	w.heads.Purge()
	pos, err := w.conn.Int("SELECT max(pos) FROM events")
	if err != nil {
		return err
	}
	sid, err := w.conn.Int("SELECT max(sid) FROM streams")
	if err != nil {
		return err
	}
	created, err := w.conn.Int("SELECT created FROM events ORDER BY pos DESC LIMIT 1")
	if err != nil {
		return err
	}
	w.pos, w.sid, w.created, w.stale = eventstore.Position(pos), sid, created, false
	return nil
}

// run works until requests is closed and empty.
func (w *writer) run() {
	for first := range w.requests {
		w.collect(first)
		w.write()
		w.checkpoint.AfterCommit(w.conn.WALFrames())
	}
}

// collect takes what waits behind the first request, as much as a group may have. Whoever is ready to run goes first:
// where the processors are busy, a caller about to append would otherwise miss this commit and wait for the next; where
// they are idle it costs nothing.
func (w *writer) collect(first *request) {
	runtime.Gosched()
	w.group = append(w.group[:0], first)
	bytes := first.bytes
	for len(w.group) < w.opts.groupRequests && bytes < w.opts.groupBytes {
		select {
		case r, ok := <-w.requests:
			if !ok {
				return
			}
			w.group = append(w.group, r)
			bytes += r.bytes
		default:
			return
		}
	}
}

// write decides, stores and answers the group.
func (w *writer) write() {
	err := w.store()
	if err != nil {
		w.undo(err)
		err = fmt.Errorf("%w: write event store: %w", eventstore.ErrUnavailable, err)
	} else {
		w.tail.publish(w.inserted)
		w.recovered()
	}
	for i, r := range w.group {
		if err != nil {
			r.appended, r.err = eventstore.Appended{}, err
		}
		w.group[i] = nil
		r.done <- struct{}{}
	}
	clear(w.inserted)
	w.inserted = w.inserted[:0]
}

// store decides each request and commits what they insert. On an error nothing has been stored, as far as the file
// tells.
func (w *writer) store() error {
	if w.stale {
		if err := w.learn(); err != nil {
			return err
		}
	}
	w.created = max(w.created, w.opts.clock().UnixMicro())
	for _, r := range w.group {
		if r.err = r.ctx.Err(); r.err != nil {
			continue
		}
		if err := w.decide(r); err != nil {
			return err
		}
	}
	if len(w.inserted) == 0 {
		return nil
	}
	return w.opts.commit(w.statements.commit.Bind(0).Run)
}

// insert adds the request's events behind h.
func (w *writer) insert(r *request, h *head) error {
	if len(w.inserted) == 0 {
		if err := w.statements.begin.Bind(0).Run(); err != nil {
			return err
		}
	}
	if h.sid == 0 {
		w.sid++
		h.sid = w.sid
		if err := w.statements.stream.Bind(len(r.stream)).BindInt(h.sid).BindText(r.stream).Run(); err != nil {
			return err
		}
		w.heads.Add(r.stream, h)
	}
	recordedAt := time.UnixMicro(w.created).UTC()
	for i := range r.events {
		e := &r.events[i]
		w.pos++
		h.rev++
		err := w.statements.event.Bind(len(e.Type) + len(e.ID) + len(e.Metadata) + len(e.Data)).
			BindInt(int64(w.pos)).BindInt(h.sid).BindInt(h.rev).BindText(e.Type).BindInt(w.created).
			BindBlob(e.ID[:]).BindBlob(e.Metadata).BindBlob(e.Data).Run()
		if err != nil {
			return err
		}
		w.recent.add(e.ID, place{sid: h.sid, rev: h.rev, pos: w.pos})
		w.inserted = append(w.inserted, eventstore.Recorded{
			Event: *e, Stream: r.stream, Revision: uint64(h.rev), Position: w.pos, RecordedAt: recordedAt,
		})
	}
	r.appended = eventstore.Appended{Revision: uint64(h.rev), Position: w.pos}
	return nil
}

// undo takes back what a failed group did, here and in the file.
func (w *writer) undo(cause error) {
	if !w.failing {
		w.opts.logger.Error("event store cannot write", "error", cause)
	}
	w.failing = true
	if w.conn.InTransaction() {
		if err := w.conn.Exec("ROLLBACK"); err != nil {
			w.opts.logger.Error("event store cannot roll back", "error", err)
		}
	}
	w.recent.forget(len(w.inserted))
	w.stale = true
}

func (w *writer) recovered() {
	if w.failing && len(w.inserted) > 0 {
		w.failing = false
		w.opts.logger.Info("event store writes again")
	}
}
