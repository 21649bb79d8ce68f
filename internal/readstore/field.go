package readstore

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

// Field is a column of a table and where it lies in the struct. Rows are written by the thousand, so this goes by offset,
// not by reflect.Value.
type Field struct {
	Column string
	Key    bool

	is     FieldKind
	offset uintptr
	null   bool
	index  int
}

// FieldKind is what a column is to the databases.
type FieldKind uint8

// Kinds of columns.
const (
	IsText FieldKind = iota + 1
	IsInt
	IsBool
	IsTime

	isUint64
	isPlainInt
	isIntPointer
)

// Kind of the column.
func (f *Field) Kind() FieldKind {
	if f.is > IsTime {
		return IsInt
	}
	return f.is
}

// Text of a row's field of kind IsText; ok is false for NULL.
func (f *Field) Text(row unsafe.Pointer) (text string, ok bool) {
	text = *(*string)(unsafe.Add(row, f.offset))
	return text, text != "" || !f.null
}

// Time of a row's field of kind IsTime, in microseconds since 1970; ok is false for NULL.
func (f *Field) Time(row unsafe.Pointer) (micros int64, ok bool) {
	t := (*time.Time)(unsafe.Add(row, f.offset))
	if f.null && t.IsZero() {
		return 0, false
	}
	return t.UnixMicro(), true
}

// Int of a row's field of kind IsInt or IsBool; ok is false for NULL.
func (f *Field) Int(row unsafe.Pointer) (n int64, ok bool) {
	at := unsafe.Add(row, f.offset)
	switch f.is {
	case IsInt:
		n = *(*int64)(at)
	case isUint64:
		n = int64(*(*uint64)(at))
	case isPlainInt:
		n = int64(*(*int)(at))
	case isIntPointer:
		p := *(**int64)(at)
		if p == nil {
			return 0, false
		}
		return *p, true
	default:
		if *(*bool)(at) {
			n = 1
		}
	}
	return n, n != 0 || !f.null
}

// Columns of the table in the order of the struct.
func (s *Spec) Columns() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Column
	}
	return names
}

// fill sets the fields of a row from what the database gave.
func (s *Spec) fill(row reflect.Value, values []any) error {
	for i, f := range s.Fields {
		if values[i] == nil {
			continue
		}
		target := row.Field(f.index)
		if f.is == IsTime {
			var at Time
			if err := at.Scan(values[i]); err != nil {
				return err
			}
			target.Set(reflect.ValueOf(at.Time))
			continue
		}
		switch v := values[i].(type) {
		case string:
			target.SetString(v)
		case int64:
			setInteger(target, f.is, v)
		case bool:
			target.SetBool(v)
		default:
			return fmt.Errorf("readstore: %s.%s is a %T", s.Name, f.Column, v)
		}
	}
	return nil
}

func setInteger(target reflect.Value, is FieldKind, v int64) {
	switch is {
	case isIntPointer:
		target.Set(reflect.ValueOf(&v))
	case isUint64:
		target.SetUint(uint64(v))
	case IsBool:
		target.SetBool(v != 0)
	default:
		target.SetInt(v)
	}
}
