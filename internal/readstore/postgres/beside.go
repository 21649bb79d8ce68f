package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Suffixes of the schemas of a rebuild.
const (
	besideSuffix  = "_rebuild"
	retiredSuffix = "_retired"
)

// maxName is how long a name can be; the server cuts off what is more, and the schemas would be one.
const maxName = 63

// own are the tables that every set has for itself.
var own = []string{"checkpoint", "parked_event"}

// beside is a second schema, in which the live tables are out of sight.
type beside struct {
	*DB
	live *DB
}

// Beside implements readstore.DB.
func (db *DB) Beside(ctx context.Context, tables []string) (readstore.Beside, error) {
	config := db.config.Copy()
	schema := db.schema + besideSuffix
	if len(schema) > maxName {
		return nil, fmt.Errorf("prepare a rebuild: the name of schema %s is too long to put %s behind it", db.schema, besideSuffix)
	}
	config.ConnConfig.RuntimeParams["search_path"] = quoted(schema) // alone: a table that is missing must not be the live one
	conn, err := db.inTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp(conn)
	if err := db.checkFree(ctx, conn, tables); err != nil {
		return nil, fmt.Errorf("prepare a rebuild: %w", failure(err))
	}
	if err := db.dropOutdated(ctx, conn, schema, tables); err != nil {
		return nil, fmt.Errorf("prepare a rebuild: %w", failure(err))
	}
	for _, s := range []string{schema, db.schema + retiredSuffix} {
		if err := createSchema(ctx, conn, s); err != nil {
			return nil, fmt.Errorf("prepare a rebuild: %w", failure(err))
		}
	}
	for _, table := range append(slices.Clone(own), tables...) {
		if err := db.copyTable(ctx, conn, schema, table); err != nil {
			return nil, fmt.Errorf("prepare a rebuild of %s: %w", table, failure(err))
		}
	}
	second, err := open(ctx, config, db.Options)
	if err != nil {
		return nil, err
	}
	return &beside{second, db}, nil
}

// inTurn connects, and waits for other processes that make or remove tables of sets; the turn ends with the connection.
func (db *DB) inTurn(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, db.config.ConnConfig)
	if err != nil {
		return nil, failure(err)
	}
	const turn = "SELECT pg_advisory_lock(hashtextextended('chatwatch rebuilds ' || $1::text, 0))"
	if _, err := conn.Exec(ctx, turn, db.schema); err != nil {
		hangUp(conn)
		return nil, failure(err)
	}
	return conn, nil
}

// createSchema makes a schema unless it is there: then it takes no right to make any.
func createSchema(ctx context.Context, conn *pgx.Conn, name string) error {
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", quoted(name)).Scan(&there); err != nil || there {
		return err
	}
	_, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+quoted(name))
	return err
}

// dropOutdated removes what an interrupted rebuild has left, when a migration has changed a table since.
func (db *DB) dropOutdated(ctx context.Context, conn *pgx.Conn, schema string, tables []string) error {
	const shape = `SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`
	for _, table := range append(slices.Clone(own), tables...) {
		var live, fresh *string
		err := errors.Join(
			conn.QueryRow(ctx, shape, quoted(db.schema, table)).Scan(&live),
			conn.QueryRow(ctx, shape, quoted(schema, table)).Scan(&fresh))
		if err != nil {
			return err
		}
		if live != nil && fresh != nil && *live != *fresh {
			_, err := conn.Exec(ctx, "DROP SCHEMA "+quoted(schema)+" CASCADE")
			return err
		}
	}
	return nil
}

// copyTable makes an empty table like the live one, unless it is there: columns, comments, storage, and the constraints without
// an index of their own, with the primary key, which upserts need. NOT NULL comes with the columns.
func (db *DB) copyTable(ctx context.Context, conn *pgx.Conn, schema, table string) error {
	var there bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", quoted(schema, table)).Scan(&there); err != nil || there {
		return err
	}
	fresh, live := quoted(schema, table), quoted(db.schema, table)
	statements, err := collect(ctx, conn, `
		SELECT format('ALTER TABLE %s SET (%s)', $2::text, array_to_string(reloptions, ', ')) FROM pg_class
		WHERE oid = $1::regclass AND reloptions IS NOT NULL
		UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', $2::text, obj_description($1::regclass, 'pg_class'))
		UNION ALL (SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $2::text, conname, pg_get_constraintdef(oid))
		FROM pg_constraint WHERE conrelid = $1::regclass AND contype NOT IN ('u', 'n') ORDER BY contype DESC)`, live, fresh)
	if err != nil {
		return err
	}
	create := fmt.Sprintf("CREATE TABLE %s (LIKE %s INCLUDING COMMENTS INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE)", fresh, live)
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, s := range append([]string{create}, statements...) {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

type index struct {
	name, create string
	constraint   bool
}

// missingIndexes are those of the live table that the table in another schema does not have, unique constraints first.
func (db *DB) missingIndexes(ctx context.Context, conn *pgx.Conn, schema, table string) ([]index, error) {
	rows, err := conn.Query(ctx, `SELECT c.relname::text,
		CASE WHEN k.oid IS NULL THEN '' ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', $3::text, k.conname, pg_get_constraintdef(k.oid)) END,
		pg_get_indexdef(i.indexrelid), quote_ident($4)
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid
		WHERE i.indrelid = $1::regclass AND to_regclass(format('%I.%I', $2::text, c.relname)) IS NULL
		ORDER BY k.conname NULLS LAST, c.relname`, quoted(db.schema, table), schema, quoted(schema, table), db.schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i index, err error) {
		var constraint, live string
		if err := row.Scan(&i.name, &constraint, &i.create, &live); err != nil || constraint != "" {
			i.create, i.constraint = constraint, true
			return i, err
		}
		// The definition always names the table with its schema, behind ON.
		head, rest, ok := strings.Cut(i.create, " ON "+live+".")
		if !ok {
			return i, fmt.Errorf("the definition of index %s is not understood", i.name)
		}
		i.create = head + " ON " + quoted(schema) + "." + rest
		return i, nil
	})
}

// Ready implements readstore.Beside: unique constraints, and the indexes by which folds load their state, whose names end in
// _open.
func (b *beside) Ready(ctx context.Context, tables []string) error {
	return b.addIndexes(ctx, tables, func(i index) bool { return i.constraint || strings.HasSuffix(i.name, "_open") }, false)
}

// Complete implements readstore.Beside: the remaining indexes, and statistics for the planner from a small sample, which
// autovacuum makes better in its own time.
func (b *beside) Complete(ctx context.Context, tables []string) error {
	return b.addIndexes(ctx, tables, func(index) bool { return true }, true)
}

// indexing is how many tables get their indexes at a time.
const indexing = 2

func (b *beside) addIndexes(ctx context.Context, tables []string, which func(index) bool, analyze bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(indexing)
	for _, table := range tables {
		group.Go(func() error {
			conn, err := pgx.ConnectConfig(ctx, b.config.ConnConfig)
			if err != nil {
				return failure(err)
			}
			defer hangUp(conn)
			if err := b.indexTable(ctx, conn, table, which); err != nil {
				return fmt.Errorf("index %s: %w", table, failure(err))
			}
			if analyze {
				_, err = conn.Exec(ctx, "SET default_statistics_target = 10; ANALYZE "+quoted(b.schema, table))
			}
			return failure(err)
		})
	}
	return group.Wait()
}

func (b *beside) indexTable(ctx context.Context, conn *pgx.Conn, table string, which func(index) bool) error {
	indexes, err := b.live.missingIndexes(ctx, conn, b.schema, table)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if !which(i) {
			continue
		}
		if _, err := conn.Exec(ctx, i.create); err != nil {
			return err
		}
	}
	return nil
}

// Empty implements readstore.Beside: the tables are made anew, as the live ones are now.
func (b *beside) Empty(ctx context.Context, tables []string) error {
	conn, err := b.live.inTurn(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	for _, table := range tables {
		if _, err := conn.Exec(ctx, "DROP TABLE IF EXISTS "+quoted(b.schema, table)); err != nil {
			return failure(err)
		}
		if err := b.live.copyTable(ctx, conn, b.schema, table); err != nil {
			return fmt.Errorf("empty %s: %w", table, failure(err))
		}
	}
	return nil
}

func collect(ctx context.Context, conn *pgx.Conn, query string, args ...any) ([]string, error) {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
