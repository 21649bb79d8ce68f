package datadoc

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

type relation struct {
	name, kind, comment string
	columns             []column
}

type column struct {
	name, kind, comment string
	nullable, key       bool
}

// The columns of views are all nullable for the catalogue; what can be NULL there is said by their comments.
const relationsQuery = `SELECT c.relname::text, CASE c.relkind WHEN 'v' THEN 'View' ELSE 'Table' END, coalesce(obj_description(c.oid, 'pg_class'), ''),
	a.attname::text, format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), ''),
	c.relkind = 'r' AND NOT a.attnotnull, coalesce(a.attnum = ANY (i.indkey), false)
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
	WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'goose_db_version'
	ORDER BY c.relname, a.attnum`

func readRelations(ctx context.Context, q readstore.Queryer) ([]relation, error) {
	var out []relation
	rows, err := q.Query(ctx, relationsQuery)
	_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
		var r relation
		var c column
		err := rows.Scan(&r.name, &r.kind, &r.comment, &c.name, &c.kind, &c.comment, &c.nullable, &c.key)
		if len(out) == 0 || out[len(out)-1].name != r.name {
			out = append(out, r)
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, c)
		return struct{}{}, err
	})
	return out, err
}

func (r relation) write(page *bytes.Buffer) {
	fmt.Fprintf(page, "\n### %s\n\n%s. %s\n\n| Column | Type | |\n|---|---|---|\n", r.name, r.kind, cell(r.comment))
	for _, c := range r.columns {
		kind := strings.Replace(c.kind, "timestamp with time zone", "timestamptz", 1)
		switch {
		case c.key:
			kind += ", key"
		case c.nullable:
			kind += ", nullable"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", c.name, kind, cell(c.comment))
	}
}

type function struct{ name, arguments, result, comment string }

const functionsQuery = `SELECT p.proname::text, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
	coalesce(obj_description(p.oid, 'pg_proc'), '')
	FROM pg_proc AS p WHERE p.pronamespace = current_schema()::regnamespace ORDER BY p.proname`

func readFunctions(ctx context.Context, q readstore.Queryer) ([]function, error) {
	rows, err := q.Query(ctx, functionsQuery)
	return readstore.Collect(rows, err, func(rows readstore.Rows) (f function, err error) {
		err = rows.Scan(&f.name, &f.arguments, &f.result, &f.comment)
		return f, err
	})
}

func writeFunctions(page *bytes.Buffer, functions []function) {
	page.WriteString("\n## Functions\n\nOn PostgreSQL only.\n\n| Function | Gives | |\n|---|---|---|\n")
	for _, f := range functions {
		short := strings.NewReplacer("timestamp with time zone", "timestamptz")
		fmt.Fprintf(page, "| `%s(%s)` | %s | %s |\n", f.name, short.Replace(f.arguments), short.Replace(f.result), cell(f.comment))
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
