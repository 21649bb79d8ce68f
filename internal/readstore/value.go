package readstore

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Dialect is which database it is, for the few places that have to know.
type Dialect uint8

// Dialects.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// Now is the database's clock in SQL, and In that clock some milliseconds, its one parameter, later.
func (d Dialect) Now() string {
	if d == PostgreSQL {
		return "clock_timestamp()"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
}

// In is described at Now.
func (d Dialect) In() string {
	if d == PostgreSQL {
		return "clock_timestamp() + CAST(? AS bigint) * interval '1 millisecond'"
	}
	return "CAST(unixepoch('subsec') * 1000000 AS INTEGER) + ? * 1000"
}

// Time is a column of time as it is read, and a parameter of a query; the zero time is NULL.
type Time struct{ time.Time }

// At makes a parameter of a time.
func At(t time.Time) Time { return Time{t} }

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

// Value implements driver.Valuer as SQLite stores a time.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// List is the parameter of "column IN ?": the condition that a column is one of the values; for none it holds for no row.
type List struct {
	Texts []string
	Ints  []int64 // when Texts is nil
}

// Of makes a list of texts or integers.
func Of[T ~string | ~int64](values []T) List {
	var l List
	for _, v := range values {
		switch v := any(v).(type) {
		case int64:
			l.Ints = append(l.Ints, v)
		default:
			l.Texts = append(l.Texts, fmt.Sprint(v))
		}
	}
	return l
}

// Len is how many values there are.
func (l List) Len() int { return max(len(l.Texts), len(l.Ints)) }
