package readstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/sqlite"
)

// Tx is a transaction of the writer.
type Tx struct{ db *DB }

// Write calls fn in a transaction: all of it is stored, or none when fn fails. Writers take turns.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) (err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := &Tx{db}
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

// Exec runs a statement and tells how many rows it changed. Arguments are strings, integers, bools, times and nil.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
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
		return 0, err
	}
	return tx.changes()
}

// Refused tells whether the database refused a row for what it holds, so that trying again would not help.
func Refused(err error) bool { return sqlite.Constraint(err) }

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
		s.BindInt(bit(v))
	case time.Time:
		bindTime(s, v)
	default:
		return fmt.Errorf("readstore: a parameter cannot be a %T", value)
	}
	return nil
}

func bindTime(s *sqlite.Stmt, t time.Time) {
	if t.IsZero() {
		s.BindBlob(nil)
		return
	}
	s.BindInt(t.UnixMicro())
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// changes is how many rows the last statement changed.
func (tx *Tx) changes() (int64, error) {
	s, err := tx.prepare("SELECT changes()")
	if err != nil {
		return 0, err
	}
	if _, err := s.Bind(1).Step(); err != nil {
		return 0, err
	}
	n := s.Int(0)
	s.Reset()
	return n, nil
}

func (tx *Tx) run(query string) error {
	s, err := tx.prepare(query)
	if err != nil {
		return err
	}
	return s.Bind(1).Run()
}

func (tx *Tx) prepare(query string) (*sqlite.Stmt, error) {
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
