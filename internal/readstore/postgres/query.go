package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Query implements readstore.Queryer. The driver keeps the statements prepared.
func (db *DB) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	rows, err := db.read.Query(ctx, db.numbered(query), parameters(args)...)
	if err != nil {
		return nil, db.failed(err)
	}
	return answer{rows}, nil
}

// openView begins a moment of the database. Whoever holds the gate is either wholly before a swap of tables or wholly
// after it; the snapshot is taken with the first query behind it.
const openView = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE swap_gate IN ACCESS SHARE MODE`

// View implements readstore.DB.
func (db *DB) View(ctx context.Context, fn func(readstore.Queryer) error) error {
	conn, err := db.read.Acquire(ctx)
	if err != nil {
		return db.failed(err)
	}
	defer conn.Release() // a connection whose transaction is open is closed by the pool
	if err := conn.Conn().PgConn().Exec(ctx, openView).Close(); err != nil {
		return failure(err)
	}
	if err := fn(view{db, conn.Conn()}); err != nil {
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		_ = conn.Conn().PgConn().Exec(undoing, "ROLLBACK").Close()
		return err
	}
	return failure(conn.Conn().PgConn().Exec(ctx, "COMMIT").Close())
}

type view struct {
	db   *DB
	conn *pgx.Conn
}

// Query is DB.Query at that moment.
func (v view) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	rows, err := v.conn.Query(ctx, v.db.numbered(query), parameters(args)...)
	if err != nil {
		return nil, failure(err)
	}
	return answer{rows}, nil
}

// answer makes readstore.Rows of the driver's.
type answer struct{ pgx.Rows }

func (a answer) Columns() ([]string, error) {
	fields := a.FieldDescriptions()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names, nil
}

func (a answer) Scan(targets ...any) error {
	if err := a.Rows.Scan(targets...); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

func (a answer) Err() error { return failure(a.Rows.Err()) }

func (a answer) Close() error {
	a.Rows.Close()
	return a.Err()
}

// numbered puts $1, $2 … in the place of ?, and = ANY ($n) in that of IN ?. It remembers what it made.
func (db *DB) numbered(query string) string {
	if text, ok := db.texts.Load(query); ok {
		return text.(string)
	}
	text := number(query)
	db.texts.Store(query, text)
	return text
}

func number(query string) string {
	var out strings.Builder
	n, inText := 0, false
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case c == '\'':
			inText = !inText
		case inText:
		case c == '?':
			n++
			out.WriteString("$" + strconv.Itoa(n))
			continue
		case strings.HasPrefix(query[i:], "IN ?") && i > 0 && query[i-1] == ' ':
			n++
			out.WriteString("= ANY ($" + strconv.Itoa(n) + ")")
			i += len("IN ?") - 1
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

// parameters turns the values of a query into the driver's.
func parameters(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case readstore.Time:
			if !v.IsZero() {
				out[i] = v.Time
			}
		case readstore.List:
			if v.Texts == nil && v.Ints != nil {
				out[i] = v.Ints
			} else {
				out[i] = append([]string{}, v.Texts...)
			}
		default:
			out[i] = a
		}
	}
	return out
}
