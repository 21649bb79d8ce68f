package readstore

import (
	"fmt"
	"strings"
)

// writeRow is the statement that writes one row, with a parameter a column.
func (s *Spec) writeRow(k Kind) string {
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s?)%s",
		s.Name, strings.Join(s.Columns(), ", "), strings.Repeat("?, ", max(0, len(s.Fields)-1)), s.onConflict(k))
}

// writeArrays is the statement that writes many rows, with an array a column.
func (s *Spec) writeArrays(k Kind) string {
	arrays := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, f.Kind().postgres())
	}
	columns := strings.Join(s.Columns(), ", ")
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM unnest(%s) AS row (%s)%s",
		s.Name, columns, columns, strings.Join(arrays, ", "), columns, s.onConflict(k))
}

func (k FieldKind) postgres() string {
	switch k {
	case IsText:
		return "text"
	case IsBool:
		return "boolean"
	case IsTime:
		return "timestamptz"
	default:
		return "bigint"
	}
}

func (s *Spec) onConflict(k Kind) string {
	if k == Append {
		return ""
	}
	var keys, sets []string
	for _, f := range s.Fields {
		switch {
		case f.Key:
			keys = append(keys, f.Column)
		case k == Counter:
			sets = append(sets, fmt.Sprintf("%[1]s = %[2]s.%[1]s + excluded.%[1]s", f.Column, s.Name))
		default:
			sets = append(sets, fmt.Sprintf("%[1]s = excluded.%[1]s", f.Column))
		}
	}
	if len(sets) == 0 {
		return fmt.Sprintf(" ON CONFLICT (%s) DO NOTHING", strings.Join(keys, ", "))
	}
	return fmt.Sprintf(" ON CONFLICT (%s) DO UPDATE SET %s", strings.Join(keys, ", "), strings.Join(sets, ", "))
}
