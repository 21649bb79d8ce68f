package readstore

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// Dialect is which database it is. Queries are written once, with ? for parameters.
type Dialect uint8

// Dialects.
const (
	SQLite Dialect = iota + 1
)

// Time is a column of time as it is read; the zero time when it is NULL.
type Time struct{ time.Time }

// Scan implements sql.Scanner.
func (t *Time) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		t.Time = time.Time{}
	case int64:
		t.Time = time.UnixMicro(v).UTC()
	case time.Time:
		t.Time = v.UTC()
	default:
		return fmt.Errorf("readstore: a time cannot be read from %T", value)
	}
	return nil
}

// Value implements driver.Valuer, for parameters of queries. The zero time is NULL.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// At makes a parameter of a time.
func At(t time.Time) Time { return Time{t} }

// In makes the condition that a column is one of the values, with its parameters; for none it holds for no row. The number
// of parameters is rounded up to a power of two, so that there are few texts to prepare.
func In[T ~string | ~int64](column string, values []T) (condition string, args []any) {
	args = anys(values)
	for len(args)&(len(args)-1) != 0 {
		args = append(args, nil)
	}
	return column + " IN " + list(len(args)), args
}

// list writes n parameters in brackets. It is "(NULL)" for none, which nothing is in.
func list(n int) string {
	if n == 0 {
		return "(NULL)"
	}
	return "(" + strings.Repeat("?,", n-1) + "?)"
}

// anys turns values into parameters.
func anys[T ~string | ~int64](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		switch v := any(v).(type) {
		case string, int64:
			out[i] = v
		default:
			out[i] = fmt.Sprint(v) // a named string
		}
	}
	return out
}

// upsert builds the statement that writes one row of a table.
func (d Dialect) upsert(t tableSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES %s", t.name, strings.Join(t.columns, ", "), list(len(t.columns)))
	if t.kind == Append {
		return b.String()
	}
	fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET ", strings.Join(t.keys, ", "))
	for i, c := range t.values {
		if i > 0 {
			b.WriteString(", ")
		}
		if t.kind == Counter {
			fmt.Fprintf(&b, "%[1]s = %[2]s.%[1]s + excluded.%[1]s", c, t.name)
		} else {
			fmt.Fprintf(&b, "%[1]s = excluded.%[1]s", c)
		}
	}
	return b.String()
}
