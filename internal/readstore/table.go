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
	// Append rows are written once; a second one with the same key is an error.
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
	spec   tableSpec
	fields []field
	insert string
	sel    string
	err    error
}

type tableSpec struct {
	name    string
	kind    Kind
	columns []string
	keys    []string
	values  []string // columns that are not of the key
}

// field knows where a column lies in the struct. Rows are written by the thousand, so this goes by offset, not by
// reflect.Value.
type field struct {
	offset uintptr
	is     fieldKind
	null   bool
	index  int
}

type fieldKind uint8

const (
	isText fieldKind = iota + 1
	isInt64
	isUint64
	isInt
	isBool
	isIntPointer
	isTime
)

// NewTable describes a table by its row type. What is wrong with R is told by Err, and by every use.
func NewTable[R any](name string, kind Kind) *Table[R] {
	t := &Table[R]{spec: tableSpec{name: name, kind: kind}}
	goType := reflect.TypeFor[R]()
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
		t.fields = append(t.fields, field{f.Offset, is, strings.Contains(options, "null"), i})
		t.spec.columns = append(t.spec.columns, column)
		if strings.Contains(options, "key") {
			t.spec.keys = append(t.spec.keys, column)
		} else {
			t.spec.values = append(t.spec.values, column)
		}
	}
	if len(t.spec.keys) == 0 {
		t.err = errors.Join(t.err, fmt.Errorf("readstore: %s has no key", name))
	}
	t.insert = SQLite.upsert(t.spec)
	t.sel = "SELECT " + strings.Join(t.spec.columns, ", ") + " FROM " + name + " "
	return t
}

func kindOf(t reflect.Type) (fieldKind, error) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return isTime, nil
	case t == reflect.TypeFor[*int64]():
		return isIntPointer, nil
	}
	switch t.Kind() {
	case reflect.String:
		return isText, nil
	case reflect.Int64:
		return isInt64, nil
	case reflect.Uint64:
		return isUint64, nil
	case reflect.Int:
		return isInt, nil
	case reflect.Bool:
		return isBool, nil
	default:
		return 0, fmt.Errorf("a column cannot be a %s", t)
	}
}

// Name of the table.
func (t *Table[R]) Name() string { return t.spec.name }

// Columns of the table, in the order of the struct.
func (t *Table[R]) Columns() []string { return t.spec.columns }

// Err tells what is wrong with the row type.
func (t *Table[R]) Err() error { return t.err }

// Write writes rows.
func (t *Table[R]) Write(tx *Tx, rows ...*R) error {
	if t.err != nil || len(rows) == 0 {
		return t.err
	}
	s, err := tx.prepare(t.insert)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t.bind(s, unsafe.Pointer(r))
		if err := s.Run(); err != nil {
			return fmt.Errorf("write %s: %w", t.spec.name, err)
		}
	}
	return nil
}

// Select reads rows; where is what follows FROM, with its parameters.
func (t *Table[R]) Select(ctx context.Context, q Queryer, where string, args ...any) ([]*R, error) {
	if t.err != nil {
		return nil, t.err
	}
	rows, err := q.Query(ctx, t.sel+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.spec.name, err)
	}
	defer rows.Close()
	var out []*R
	values, targets := make([]any, len(t.fields)), make([]any, len(t.fields))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read %s: %w", t.spec.name, err)
		}
		r := new(R)
		if err := t.fill(reflect.ValueOf(r).Elem(), values); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// SelectIn reads the rows whose column is one of the values, whichever number of them, and that pass the rest of the
// condition, which may be empty.
func SelectIn[R any, V ~string | ~int64](ctx context.Context, q Queryer, t *Table[R], column string, values []V, and string) ([]*R, error) {
	const step = 256
	var out []*R
	for len(values) > 0 {
		n := min(step, len(values))
		where, args := In(column, values[:n])
		values = values[n:]
		rows, err := t.Select(ctx, q, "WHERE "+where+" "+and, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
