package sqlite

import (
	"fmt"
	"slices"
	"unsafe"

	lib "modernc.org/sqlite/lib"
)

// keepBytes is how much memory a statement keeps for its parameters between executions.
const keepBytes = 64 << 10

// Stmt is a prepared statement that is kept. An execution is Bind, the binds in order, Step until it tells false, Reset.
type Stmt struct {
	c      *Conn
	h      uintptr
	args   uintptr // C memory for bound text and blobs
	size   int     // of args
	used   int     // of args
	column int32   // next parameter
	err    int32
}

// Prepare compiles a statement. It lives until the connection is closed.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	z := c.text(sql)
	defer lib.Xsqlite3_free(c.tls, z)
	out := lib.Xsqlite3_malloc(c.tls, int32(unsafe.Sizeof(uintptr(0))))
	defer lib.Xsqlite3_free(c.tls, out)
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, z, -1, lib.SQLITE_PREPARE_PERSISTENT, out, 0)
	if rc != lib.SQLITE_OK {
		return nil, fmt.Errorf("prepare %q: %w", sql, c.failed(rc))
	}
	s := &Stmt{c: c, h: *(*uintptr)(pointer(out))}
	c.stmts = append(c.stmts, s)
	return s, nil
}

// Bind begins an execution whose text and blobs have n bytes together.
func (s *Stmt) Bind(n int) *Stmt {
	if n > s.size || s.size > keepBytes && n <= keepBytes {
		lib.Xsqlite3_free(s.c.tls, s.args)
		s.size = max(n, 1024)
		s.args = lib.Xsqlite3_malloc64(s.c.tls, lib.Tsqlite3_uint64(s.size))
		if s.args == 0 {
			s.size = 0
		}
	}
	s.used, s.column, s.err = 0, 0, lib.SQLITE_OK
	return s
}

// BindInt binds the next parameter.
func (s *Stmt) BindInt(v int64) *Stmt {
	s.column++
	s.note(lib.Xsqlite3_bind_int64(s.c.tls, s.h, s.column, v))
	return s
}

// BindText binds the next parameter.
func (s *Stmt) BindText(v string) *Stmt {
	s.column++
	p := s.put(unsafe.Slice(unsafe.StringData(v), len(v)))
	s.note(lib.Xsqlite3_bind_text(s.c.tls, s.h, s.column, p, int32(len(v)), lib.SQLITE_STATIC))
	return s
}

// BindBlob binds the next parameter; an empty one is NULL.
func (s *Stmt) BindBlob(v []byte) *Stmt {
	s.column++
	if len(v) == 0 {
		s.note(lib.Xsqlite3_bind_null(s.c.tls, s.h, s.column))
		return s
	}
	s.note(lib.Xsqlite3_bind_blob(s.c.tls, s.h, s.column, s.put(v), int32(len(v)), lib.SQLITE_STATIC))
	return s
}

func (s *Stmt) put(v []byte) uintptr {
	if s.used+len(v) > s.size {
		s.note(lib.SQLITE_NOMEM)
		return 0
	}
	p := s.args + uintptr(s.used)
	copy(unsafe.Slice((*byte)(pointer(p)), len(v)), v)
	s.used += len(v)
	return p
}

func (s *Stmt) note(rc int32) {
	if s.err == lib.SQLITE_OK {
		s.err = rc
	}
}

// Step moves to the next row and tells whether there is one. After false or an error the statement has been reset.
func (s *Stmt) Step() (bool, error) {
	if s.err != lib.SQLITE_OK {
		s.Reset()
		return false, &Error{Code: int(s.err), Message: "bind parameters"}
	}
	switch rc := lib.Xsqlite3_step(s.c.tls, s.h); rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		s.Reset()
		return false, nil
	default:
		err := s.c.failed(rc)
		s.Reset()
		return false, err
	}
}

// Run executes a statement that returns no rows.
func (s *Stmt) Run() error {
	_, err := s.Step()
	return err
}

// Reset ends the execution, and with it the read transaction of a query.
func (s *Stmt) Reset() { lib.Xsqlite3_reset(s.c.tls, s.h) }

// Int is a column of the row; NULL is 0.
func (s *Stmt) Int(column int) int64 { return lib.Xsqlite3_column_int64(s.c.tls, s.h, int32(column)) }

// Bytes is a text or blob column of the row, valid until the next call on the statement.
func (s *Stmt) Bytes(column int) []byte {
	p := lib.Xsqlite3_column_blob(s.c.tls, s.h, int32(column))
	if p == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(p)), lib.Xsqlite3_column_bytes(s.c.tls, s.h, int32(column)))
}

// Close frees the statement; the connection does so with what is left.
func (s *Stmt) Close() { s.finalize() }

func (s *Stmt) finalize() {
	lib.Xsqlite3_finalize(s.c.tls, s.h)
	lib.Xsqlite3_free(s.c.tls, s.args)
	s.h, s.args, s.size = 0, 0, 0
	s.c.stmts = slices.DeleteFunc(s.c.stmts, func(other *Stmt) bool { return other == s })
}
