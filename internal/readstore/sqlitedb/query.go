package sqlitedb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Query implements readstore.Queryer. Statements are prepared once and kept.
func (db *DB) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	query, args = expand(query, args)
	stmt, err := db.stmt(ctx, query)
	if err != nil {
		return nil, db.failed(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, db.failed(err) // not a nil *sql.Rows in the interface
	}
	return rows, nil
}

// failed tells that the database has been closed, for which the driver has no word of its own.
func (db *DB) failed(err error) error {
	if db.closed.Load() {
		return readstore.ErrClosed
	}
	return err
}

func (db *DB) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := db.read.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare query: %w", err)
	}
	if kept, loaded := db.stmts.LoadOrStore(query, s); loaded {
		_ = s.Close()
		return kept.(*sql.Stmt), nil
	}
	return s, nil
}

// view is a moment of the database.
type view struct {
	db *DB
	tx *sql.Tx
}

// View implements readstore.DB.
func (db *DB) View(ctx context.Context, fn func(readstore.Queryer) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", db.failed(err))
	}
	defer func() { _ = tx.Rollback() }()
	return fn(view{db, tx})
}

// Query is DB.Query at that moment.
func (v view) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	query, args = expand(query, args)
	stmt, err := v.db.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := v.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// expand gives each value of a List a parameter of its own. Their number is rounded up to a power of two, so that there are
// few texts to prepare.
func expand(query string, args []any) (string, []any) {
	lists := false
	for _, a := range args {
		if _, ok := a.(readstore.List); ok {
			lists = true
		}
	}
	if !lists {
		return query, args
	}
	var text strings.Builder
	out := make([]any, 0, len(args))
	for _, a := range args {
		before, after, _ := strings.Cut(query, "?")
		query = after
		text.WriteString(before)
		list, ok := a.(readstore.List)
		if !ok {
			text.WriteByte('?')
			out = append(out, a)
			continue
		}
		n := len(out)
		for _, v := range list.Texts {
			out = append(out, v)
		}
		for _, v := range list.Ints {
			out = append(out, v)
		}
		for n, size := len(out)-n, powerOfTwo(len(out)-n); n < size; n++ {
			out = append(out, nil)
		}
		fmt.Fprintf(&text, "(%s?)", strings.Repeat("?, ", len(out)-n-1))
	}
	text.WriteString(query)
	return text.String(), out
}

// powerOfTwo is the next one from n on; 1 for none, whose one parameter is NULL, which nothing is in.
func powerOfTwo(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}
