package readstore

import (
	"fmt"
	"strings"
	"time"
)

// longest is the class of the longest spans, which has no upper bound.
const longest = 11

// Span is the class of the duration of an interval that has ended: the least k for which it lasted less than 4^k minutes,
// and 11 for everything from 4^10 minutes (about two years) on. A row of an interval has it in a column that is NULL while
// the interval lasts.
//
// What contains an instant t and is of class k began in the last 4^k minutes before t. So with an index on (span, start)
// the past costs one short range a class and not the history.
func Span(start, end time.Time) *int64 {
	lasted := end.UnixMicro() - start.UnixMicro() // as the database will have it
	class := int64(0)
	for class < longest && lasted >= bound(class).Microseconds() {
		class++
	}
	return &class
}

// bound is what spans of a class are shorter than.
func bound(class int64) time.Duration { return time.Minute << (2 * class) }

// Intervals are the rows of a table that begin at a time and end at a time, that one not included, or have not ended.
type Intervals struct {
	// Keys is a subquery: the keys of those that lasted at an instant, or at some time in a stretch of time. At and Between
	// have its parameters. It asks for each class by itself, which an index on (span, start) answers: in an OR PostgreSQL
	// would expect so many rows that it reads whole tables.
	Keys string
}

// NewIntervals names a table, its key, and the columns of when an interval begins and when it ended, NULL while it lasts. Its
// Span is in the column span.
func NewIntervals(table, key, start, end string) Intervals {
	of := fmt.Sprintf("SELECT %s FROM %s WHERE span ", key, table)
	keys := []string{of + fmt.Sprintf("IS NULL AND %s < ?", start)}
	for class := range longest {
		keys = append(keys, of+fmt.Sprintf("= %[3]d AND %[1]s > ? AND %[1]s < ? AND %[2]s > ?", start, end, class))
	}
	keys = append(keys, of+fmt.Sprintf("= %[3]d AND %[1]s < ? AND %[2]s > ?", start, end, longest))
	return Intervals{"(" + strings.Join(keys, " UNION ALL ") + ")"}
}

// Between gives the parameters for what lasted at some time from one instant to before another.
func (Intervals) Between(from, to time.Time) []any {
	args := []any{At(to)}
	for class := range int64(longest) {
		args = append(args, At(from.Add(-bound(class))), At(to), At(from))
	}
	return append(args, At(to), At(from))
}

// At gives the parameters for what lasted at an instant.
func (i Intervals) At(at time.Time) []any { return i.Between(at, at.Add(time.Microsecond)) }
