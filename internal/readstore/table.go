package readstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// Kind says what becomes of a row whose key is in the table already.
type Kind uint8

// Kinds of rows.
const (
	// Append rows are written once; a second one with the same key is refused.
	Append Kind = iota + 1
	// State rows are replaced.
	State
	// Counter rows are added to: every column that is not of the key is a sum.
	Counter
)

// Table writes and reads rows of type R, a struct whose fields carry `db:"column"` tags, with options:
//
//	key    the column is of the primary key
//	null   an empty text, a zero or a zero time is stored as NULL
//
// Fields are strings, integers, bools, *int64 (NULL when nil) and times. The struct is the one place
// where Go knows the columns.
type Table[R any] struct {
	spec *Spec
	sel  string
	err  error
}

// Spec describes a table to the adapters.
type Spec struct {
	Name   string
	Kind   Kind
	Fields []Field
	// Insert are the statements that write rows, by Dialect and Kind: of one row with a parameter a column, of many with
	// an array a column.
	Insert [PostgreSQL + 1][Counter + 1]string
}

// NewTable describes a table by its row type. What is wrong with R is told by Err, and by every use.
func NewTable[R any](name string, kind Kind) *Table[R] {
	t := &Table[R]{spec: &Spec{Name: name, Kind: kind}}
	goType := reflect.TypeFor[R]()
	keys := 0
	for i := range goType.NumField() {
		f := goType.Field(i)
		tag, ok := f.Tag.Lookup("db")
		if !ok {
			continue
		}
		column, options, _ := strings.Cut(tag, ",")
		is, err := kindOf(f.Type)
		if err != nil {
			t.err = errors.Join(t.err, fmt.Errorf("readstore: %s.%s: %w", name, column, err))
		}
		key := strings.Contains(options, "key")
		if key {
			keys++
		}
		t.spec.Fields = append(t.spec.Fields, Field{
			Column: column, Key: key, is: is, offset: f.Offset, null: strings.Contains(options, "null"), index: i,
		})
	}
	if keys == 0 {
		t.err = errors.Join(t.err, fmt.Errorf("readstore: %s has no key", name))
	}
	for _, k := range []Kind{Append, State, Counter} {
		t.spec.Insert[SQLite][k], t.spec.Insert[PostgreSQL][k] = t.spec.writeRow(k), t.spec.writeArrays(k)
	}
	t.sel = "SELECT " + strings.Join(t.spec.Columns(), ", ") + " FROM " + name + " "
	return t
}

func kindOf(t reflect.Type) (FieldKind, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return IsTime, nil
	case t == reflect.TypeFor[*int64]():
		return isIntPointer, nil
	}
	switch t.Kind() {
	case reflect.String:
		return IsText, nil
	case reflect.Int64:
		return IsInt, nil
	case reflect.Uint64:
		return isUint64, nil
	case reflect.Int:
		return isPlainInt, nil
	case reflect.Bool:
		return IsBool, nil
	default:
		return 0, fmt.Errorf("a column cannot be a %s", t)
	}
}

// Name of the table.
func (t *Table[R]) Name() string { return t.spec.Name }

// Columns of the table, in the order of the struct.
func (t *Table[R]) Columns() []string { return t.spec.Columns() }

// Err tells what is wrong with the row type.
func (t *Table[R]) Err() error { return t.err }

// Set is some rows of one table.
type Set struct {
	*Spec
	As   Kind             // how these rows are written
	Rows []unsafe.Pointer // each to a row of the type that the Spec describes
}

// Set makes rows ready to be staged.
func (t *Table[R]) Set(rows []*R) Set { return t.SetAs(t.spec.Kind, rows) }

// SetAs makes rows ready that are written in another way than most of the table: those of kind State that are known to be
// new as Append.
func (t *Table[R]) SetAs(kind Kind, rows []*R) Set {
	s := Set{Spec: t.spec, As: kind, Rows: make([]unsafe.Pointer, len(rows))}
	for i, r := range rows {
		s.Rows[i] = unsafe.Pointer(r)
	}
	return s
}

// Write writes rows in a transaction of a database.
func (t *Table[R]) Write(db DB, tx Tx, rows ...*R) error {
	if t.err != nil || len(rows) == 0 {
		return t.err
	}
	staged, err := db.Stage(t.Set(rows))
	if err != nil {
		return err
	}
	return tx.Put(staged)
}

// Select reads rows; where is what follows FROM, with its parameters.
func (t *Table[R]) Select(ctx context.Context, q Queryer, where string, args ...any) ([]*R, error) {
	if t.err != nil {
		return nil, t.err
	}
	rows, err := q.Query(ctx, t.sel+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.spec.Name, err)
	}
	defer rows.Close()
	var out []*R
	values, targets := make([]any, len(t.spec.Fields)), make([]any, len(t.spec.Fields))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.spec.Name, err)
		}
		r := new(R)
		if err := t.spec.fill(reflect.ValueOf(r).Elem(), values); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// SelectIn reads the rows whose column is one of the values, whichever number of them, and that pass the rest of the
// condition, which may be empty.
func SelectIn[R any, V ~string | ~int64](ctx context.Context, q Queryer, t *Table[R], column string, values []V, and string) ([]*R, error) {
	const step = 1024
	var out []*R
	for len(values) > 0 {
		n := min(step, len(values))
		rows, err := t.Select(ctx, q, "WHERE "+column+" IN ? "+and, Of(values[:n]))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		values = values[n:]
	}
	return out, nil
}
