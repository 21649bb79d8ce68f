package readstore

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/chatwatch/chatwatch/internal/sqlite"
)

// bind binds the fields of the row at p, which is an *R: kindOf has seen the type of each.
func (t *Table[R]) bind(s *sqlite.Stmt, p unsafe.Pointer) {
	size := 1
	for _, f := range t.fields {
		if f.is == isText {
			size += len(*(*string)(unsafe.Add(p, f.offset)))
		}
	}
	s.Bind(size)
	for _, f := range t.fields {
		at := unsafe.Add(p, f.offset)
		switch f.is {
		case isText:
			if text := *(*string)(at); text != "" || !f.null {
				s.BindText(text)
			} else {
				s.BindBlob(nil)
			}
		case isTime:
			if when := *(*time.Time)(at); !when.IsZero() || !f.null {
				s.BindInt(when.UnixMicro())
			} else {
				s.BindBlob(nil)
			}
		case isIntPointer:
			if n := *(**int64)(at); n != nil {
				s.BindInt(*n)
			} else {
				s.BindBlob(nil)
			}
		default:
			if n := f.integer(at); n != 0 || !f.null {
				s.BindInt(n)
			} else {
				s.BindBlob(nil)
			}
		}
	}
}

func (f field) integer(at unsafe.Pointer) int64 {
	switch f.is {
	case isInt64:
		return *(*int64)(at)
	case isUint64:
		return int64(*(*uint64)(at))
	case isInt:
		return int64(*(*int)(at))
	default:
		return bit(*(*bool)(at))
	}
}

// fill sets the fields of a row from what the database gave.
func (t *Table[R]) fill(row reflect.Value, values []any) error {
	for i, f := range t.fields {
		if values[i] == nil {
			continue
		}
		target := row.Field(f.index)
		if f.is == isTime {
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
		default:
			return fmt.Errorf("readstore: %s.%s is a %T", t.spec.name, t.spec.columns[i], v)
		}
	}
	return nil
}

func setInteger(target reflect.Value, is fieldKind, v int64) {
	switch is {
	case isIntPointer:
		target.Set(reflect.ValueOf(&v))
	case isUint64:
		target.SetUint(uint64(v))
	case isBool:
		target.SetBool(v != 0)
	default:
		target.SetInt(v)
	}
}
