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

// List writes n parameters in brackets, for IN. It is "(NULL)" for none, which nothing is in.
func List(n int) string {
	if n == 0 {
		return "(NULL)"
	}
	return "(" + strings.Repeat("?,", n-1) + "?)"
}

// Anys turns values into parameters.
func Anys[T ~string | ~int64](values []T) []any {
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
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES %s", t.name, strings.Join(t.columns, ", "), List(len(t.columns)))
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
