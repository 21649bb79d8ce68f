package postgres

import (
	"fmt"
	"strings"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// copyFrom is from how many rows that are written once COPY is worth a round trip of its own.
const copyFrom = 64

// staged are rows in the form in which they are sent.
type staged struct {
	readstore.StagedRows
	writes []write
}

// write is an operation, or what COPY reads.
type write struct {
	operation
	copy []byte
}

// Stage implements readstore.DB.
func (db *DB) Stage(sets ...readstore.Set) (readstore.Staged, error) {
	s := &staged{}
	for _, set := range sets {
		switch {
		case len(set.Rows) == 0:
		case set.As == readstore.Append && len(set.Rows) >= copyFrom:
			sql := fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", set.Name, strings.Join(set.Columns(), ", "))
			s.writes = append(s.writes, write{operation{sql: sql, table: set.Name}, copied(set.Fields, set.Rows)})
		default:
			op := operation{sql: set.Insert[readstore.PostgreSQL][set.As], table: set.Name}
			for i := range set.Fields {
				op.values = append(op.values, array(&set.Fields[i], set.Rows))
				op.formats = append(op.formats, 1)
			}
			s.writes = append(s.writes, write{operation: op})
		}
	}
	return s, nil
}

// Detached implements readstore.DB.
func (db *DB) Detached() bool { return true }
