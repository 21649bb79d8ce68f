package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

// tx is a transaction of the writer.
type tx struct{ db *DB }

// Write implements readstore.DB.
func (db *DB) Write(ctx context.Context, fn func(readstore.Tx) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.write(ctx, fn)
}

// write is Write for who has the writer.
func (db *DB) write(ctx context.Context, fn func(readstore.Tx) error) (err error) {
	if db.closed.Load() {
		return readstore.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := &tx{db}
	if err := tx.run("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin writing: %w", err)
	}
	defer func() {
		if db.conn.InTransaction() {
			err = errors.Join(err, tx.run("ROLLBACK"))
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.run("COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	db.shrink.AfterCommit(db.conn.WALFrames())
	return nil
}

// Exec implements readstore.Tx.
func (tx *tx) Exec(query string, args ...any) (int64, error) {
	query, args = expand(query, args)
	s, err := tx.prepare(query)
	if err != nil {
		return 0, err
	}
	size := 1
	for _, a := range args {
		if text, ok := a.(string); ok {
			size += len(text)
		}
	}
	s.Bind(size)
	for _, a := range args {
		if err := bind(s, a); err != nil {
			return 0, err
		}
	}
	if err := s.Run(); err != nil {
		return 0, refused(err)
	}
	return tx.db.conn.Changes(), nil
}

// One implements readstore.Tx.
func (tx *tx) One(query string, args ...any) error { return tx.Exactly(1, query, args...) }

// Exactly implements readstore.Tx.
func (tx *tx) Exactly(n int64, query string, args ...any) error {
	changed, err := tx.Exec(query, args...)
	if err == nil && changed != n {
		err = fmt.Errorf("%w: %d for %d", readstore.ErrNotOne, changed, n)
	}
	return err
}

// Flush implements readstore.Tx: there is nothing to wait for.
func (tx *tx) Flush() error { return nil }

// staged are rows that are bound one by one in the transaction.
type staged struct {
	readstore.StagedRows
	sets []readstore.Set
}

// Stage implements readstore.DB.
func (db *DB) Stage(sets ...readstore.Set) (readstore.Staged, error) {
	return &staged{sets: sets}, nil
}

// Detached implements readstore.DB: the rows are read while they are written.
func (db *DB) Detached() bool { return false }

// Put implements readstore.Tx.
func (tx *tx) Put(rows readstore.Staged) error {
	for _, set := range rows.(*staged).sets {
		if len(set.Rows) == 0 {
			continue
		}
		s, err := tx.prepare(set.Insert[readstore.SQLite][set.As])
		if err != nil {
			return err
		}
		for _, row := range set.Rows {
			bindRow(s, set.Fields, row)
			if err := s.Run(); err != nil {
				return fmt.Errorf("write %s: %w", set.Name, refused(err))
			}
		}
	}
	return nil
}

func bindRow(s *sqlite.Stmt, fields []readstore.Field, row unsafe.Pointer) {
	size := 1
	for i := range fields {
		if fields[i].Kind() == readstore.IsText {
			text, _ := fields[i].Text(row)
			size += len(text)
		}
	}
	s.Bind(size)
	for i := range fields {
		var n int64
		var ok bool
		switch f := &fields[i]; f.Kind() {
		case readstore.IsText:
			if text, ok := f.Text(row); ok {
				s.BindText(text)
			} else {
				s.BindBlob(nil)
			}
			continue
		case readstore.IsTime:
			n, ok = f.Time(row)
		default:
			n, ok = f.Int(row)
		}
		if ok {
			s.BindInt(n)
		} else {
			s.BindBlob(nil)
		}
	}
}

func bind(s *sqlite.Stmt, value any) error {
	switch v := value.(type) {
	case nil:
		s.BindBlob(nil)
	case string:
		s.BindText(v)
	case int64:
		s.BindInt(v)
	case int:
		s.BindInt(int64(v))
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		s.BindInt(n)
	case readstore.Time:
		if v.IsZero() {
			s.BindBlob(nil)
		} else {
			s.BindInt(v.UnixMicro())
		}
	default:
		return fmt.Errorf("readstore: a parameter cannot be a %T", value)
	}
	return nil
}

// refused marks the error of a row that the database does not accept.
func refused(err error) error {
	if sqlite.Constraint(err) {
		return fmt.Errorf("%w: %w", readstore.ErrRefused, err)
	}
	return err
}

func (tx *tx) run(query string) error {
	s, err := tx.prepare(query)
	if err != nil {
		return err
	}
	return s.Bind(1).Run()
}

func (tx *tx) prepare(query string) (*sqlite.Stmt, error) {
	if s, ok := tx.db.prepared[query]; ok {
		return s, nil
	}
	s, err := tx.db.conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	tx.db.prepared[query] = s
	return s, nil
}

// discard forgets the prepared statements with a text in them.
func (db *DB) discard(text string) {
	for query, s := range db.prepared {
		if strings.Contains(query, text) {
			s.Close()
			delete(db.prepared, query)
		}
	}
}
