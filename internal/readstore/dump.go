package readstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Dump lists the rows of a table as text, sorted, so that two of them can be compared, also those of different databases: a
// time is microseconds since 1970 and a boolean 0 or 1. It is for tests and the command
// line: all of it is in memory, with everything that people wrote.
func Dump(ctx context.Context, db DB, table string) ([]string, error) {
	columns, err := db.Columns(ctx, table)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("dump: no table %q", table)
	}
	rows, err := db.Query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	if err != nil {
		return nil, fmt.Errorf("dump %s: %w", table, err)
	}
	defer rows.Close()
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("dump %s: %w", table, err)
		}
		var line strings.Builder
		for i, c := range columns {
			fmt.Fprintf(&line, "%s=%v|", c, plain(values[i]))
		}
		out = append(out, line.String())
	}
	slices.Sort(out)
	return out, rows.Err()
}

func plain(value any) any {
	switch v := value.(type) {
	case time.Time:
		return v.UnixMicro()
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return value
}
