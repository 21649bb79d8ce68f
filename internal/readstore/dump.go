package readstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Dump lists the rows of a table as text, sorted, so that two of them can be compared. It is for tests and the command
// line: all of it is in memory, with everything that people wrote.
func (db *DB) Dump(ctx context.Context, table string) ([]string, error) {
	known, err := db.columns(ctx, table)
	if err != nil {
		return nil, err
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("dump: no table %q", table)
	}
	rows, err := db.read.QueryContext(ctx, "SELECT "+strings.Join(known, ", ")+" FROM "+table)
	if err != nil {
		return nil, fmt.Errorf("dump %s: %w", table, err)
	}
	defer rows.Close()
	values, targets := make([]any, len(known)), make([]any, len(known))
	for i := range values {
		targets[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("dump %s: %w", table, err)
		}
		var line strings.Builder
		for i, c := range known {
			fmt.Fprintf(&line, "%s=%v|", c, values[i])
		}
		out = append(out, line.String())
	}
	slices.Sort(out)
	return out, rows.Err()
}

// columns of a table; none when there is no such table.
func (db *DB) columns(ctx context.Context, table string) ([]string, error) {
	rows, err := db.Query(ctx, "SELECT name FROM pragma_table_info(?) ORDER BY cid", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}
