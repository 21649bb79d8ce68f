// Package sqlite calls SQLite's C interface as modernc.org/sqlite/lib translates it to Go, without database/sql and
// without the driver: an append binds and steps a kept statement and allocates nothing, and a read looks at columns where
// they lie. All unsafe code is here and in the rows of the read store. It knows nothing about events and decides nothing.
//
// A Conn and its statements are used by one goroutine at a time; nothing here locks.
package sqlite

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Error is what SQLite answered to a failed call. Its message names tables and files, never values.
type Error struct {
	Code    int // extended result code
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.Message, e.Code) }

// Busy tells whether err is SQLite's answer that another connection holds a lock.
func Busy(err error) bool { return primary(err) == lib.SQLITE_BUSY }

// Constraint tells whether err is SQLite's answer to a row that breaks a rule of its table.
func Constraint(err error) bool { return primary(err) == lib.SQLITE_CONSTRAINT }

// primary is the result code that an extended one belongs to, SQLITE_OK when err is not SQLite's.
func primary(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code & 0xff
	}
	return lib.SQLITE_OK
}

// Conn is a connection to a database file.
type Conn struct {
	tls    *libc.TLS
	db     uintptr
	frames uintptr // C memory: number of frames in the WAL after the last commit of this connection
	stmts  []*Stmt
}

// Access to the database file.
type Access int32

// Kinds of access. A read-only connection never creates the file.
const (
	ReadWrite Access = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_CREATE
	ReadOnly  Access = lib.SQLITE_OPEN_READWRITE
)

// Open opens the file at path. A read-only connection still takes part in SQLite's locking, for which it needs the
// right to write next to the file where it has it, but refuses every statement that writes.
func Open(path string, access Access, busyMillis int) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	name := c.text(path)
	defer lib.Xsqlite3_free(c.tls, name)
	out := lib.Xsqlite3_malloc(c.tls, int32(unsafe.Sizeof(uintptr(0))))
	defer lib.Xsqlite3_free(c.tls, out)
	rc := lib.Xsqlite3_open_v2(c.tls, name, out, int32(access)|lib.SQLITE_OPEN_NOMUTEX, 0)
	c.db = *(*uintptr)(pointer(out))
	if rc != lib.SQLITE_OK {
		err := c.failed(rc)
		c.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	lib.Xsqlite3_busy_timeout(c.tls, c.db, int32(busyMillis))
	c.frames = lib.Xsqlite3_malloc(c.tls, 8)
	*(*int32)(pointer(c.frames)) = 0
	lib.Xsqlite3_wal_hook(c.tls, c.db, walHookPointer, c.frames)
	if access == ReadOnly {
		if err := c.Exec("PRAGMA query_only=1"); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// walHook notes the length of the WAL where WALFrames finds it.
func walHook(_ *libc.TLS, frames, _, _ uintptr, n int32) int32 {
	*(*int32)(pointer(frames)) = n
	return lib.SQLITE_OK
}

var walHookPointer = *(*uintptr)(unsafe.Pointer(&struct {
	f func(*libc.TLS, uintptr, uintptr, uintptr, int32) int32
}{walHook}))

// WALFrames is the number of pages in the write-ahead log after the last commit of this connection. Opening a
// connection replaces SQLite's automatic checkpoints by this count: the caller checkpoints.
func (c *Conn) WALFrames() int { return int(*(*int32)(pointer(c.frames))) }

// Exec runs statements that return nothing of interest.
func (c *Conn) Exec(sql string) error {
	z := c.text(sql)
	defer lib.Xsqlite3_free(c.tls, z)
	if rc := lib.Xsqlite3_exec(c.tls, c.db, z, 0, 0, 0); rc != lib.SQLITE_OK {
		return c.failed(rc)
	}
	return nil
}

// Int runs a query of one row and column; no row or NULL is 0.
func (c *Conn) Int(sql string) (int64, error) {
	s, err := c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer s.finalize()
	row, err := s.Step()
	if err != nil || !row {
		return 0, err
	}
	return s.Int(0), nil
}

// Changes is how many rows the last statement that could change any has changed.
func (c *Conn) Changes() int64 { return int64(lib.Xsqlite3_changes64(c.tls, c.db)) }

// InTransaction tells whether a transaction is open; SQLite ends one by itself on some failures.
func (c *Conn) InTransaction() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// Checkpoint moves pages from the WAL into the database file. A passive one takes what it can without waiting; otherwise
// it waits, for the busy timeout at most, for readers to leave the WAL, so that the next write starts it anew.
func (c *Conn) Checkpoint(passive bool) error {
	mode := int32(lib.SQLITE_CHECKPOINT_RESTART)
	if passive {
		mode = lib.SQLITE_CHECKPOINT_PASSIVE
	}
	if rc := lib.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, mode, 0, 0); rc != lib.SQLITE_OK {
		return c.failed(rc)
	}
	return nil
}

// Close ends the connection and its statements.
func (c *Conn) Close() error {
	for len(c.stmts) > 0 {
		c.stmts[0].finalize()
	}
	var err error
	if rc := lib.Xsqlite3_close_v2(c.tls, c.db); rc != lib.SQLITE_OK {
		err = c.failed(rc)
	}
	lib.Xsqlite3_free(c.tls, c.frames)
	c.tls.Close()
	c.db, c.frames = 0, 0
	return err
}

func (c *Conn) failed(rc int32) error {
	message := libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 && lib.Xsqlite3_extended_errcode(c.tls, c.db) == rc {
		message = libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
	}
	return &Error{Code: int(rc), Message: message}
}

// text copies s to C memory with a final zero, to be freed with sqlite3_free.
func (c *Conn) text(s string) uintptr {
	p := lib.Xsqlite3_malloc(c.tls, int32(len(s)+1))
	b := unsafe.Slice((*byte)(pointer(p)), len(s)+1)
	b[copy(b, s)] = 0
	return p
}

// pointer makes an address of memory outside of Go's heap usable.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
