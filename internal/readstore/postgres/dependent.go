package postgres

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/migrations"
)

var makes = regexp.MustCompile(`CREATE OR REPLACE (VIEW|FUNCTION) (\w+)`)

// made are the names of the views and functions that scripts make, the views in the order of their names.
func made(scripts string) (views, functions []string) {
	for _, m := range makes.FindAllStringSubmatch(scripts, -1) {
		if m[1] == "VIEW" {
			views = append(views, m[2])
		} else {
			functions = append(functions, m[2])
		}
	}
	slices.Sort(views)
	return views, functions
}

// dependents of tables, besides the views and functions that the scripts make anew.
const dependents = `SELECT DISTINCT CASE WHEN r.oid IS NOT NULL THEN v.oid::regclass::text ELSE pg_describe_object(d.classid, d.objid, 0) END
	FROM pg_depend AS d
	LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	LEFT JOIN pg_class AS v ON v.oid = r.ev_class
	LEFT JOIN pg_proc AS f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
	LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
	WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT t::regclass FROM unnest($2::text[]) AS t) AND d.deptype = 'n'
	AND NOT (coalesce(v.relnamespace, f.pronamespace, 0) = to_regnamespace($1) AND coalesce(v.relname, f.proname) = ANY ($3))
	AND k.conrelid IS DISTINCT FROM d.refobjid
	ORDER BY 1`

// checkFree refuses tables on which somebody has built something of their own, such as a view: it would go on reading the old
// table, which can therefore not be dropped. It is better told before hours of building than after them.
func (db *DB) checkFree(ctx context.Context, conn *pgx.Conn, tables []string) error {
	all, err := migrations.Joined(migrations.PostgresScripts())
	if err != nil {
		return err
	}
	var live []string
	for _, table := range tables {
		live = append(live, quoted(db.schema, table))
	}
	views, functions := made(all)
	found, err := collect(ctx, conn, dependents, quoted(db.schema), live, append(views, functions...))
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("tables that are replaced are used by %s: drop what uses them, and make it again afterwards, "+
			"or build it on the views of the product, which stay", strings.Join(found, ", "))
	}
	return nil
}
