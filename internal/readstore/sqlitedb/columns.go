package sqlitedb

import (
	"context"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Columns implements readstore.DB.
func (db *DB) Columns(ctx context.Context, table string) ([]string, error) {
	rows, err := db.Query(ctx, "SELECT name FROM pragma_table_info(?) ORDER BY cid", table)
	return readstore.Collect(rows, err, func(rows readstore.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	})
}
