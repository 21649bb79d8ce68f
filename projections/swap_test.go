package projections_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// counts are what readers ask for in loops. None of them ever goes down.
var counts = []string{
	"SELECT count(*) FROM fact_session_step", "SELECT count(*) FROM transcript_session", "SELECT count(*) FROM transcript_entry",
	"SELECT count(*) FROM fact_session", "SELECT count(*) FROM transcript_auditor", "SELECT sum(offered) FROM agg_queue_15m",
	"SELECT count(*) FROM dim_queue", "SELECT count(*) FROM queue_snapshot", "SELECT sum(position) FROM checkpoint",
}

// reader asks for a count.
type reader struct {
	name string
	ask  func(ctx context.Context, query string) (int64, error)
}

func number(rows readstore.Rows, err error) (int64, error) {
	got, err := readstore.Collect(rows, err, func(rows readstore.Rows) (n int64, err error) { return n, rows.Scan(&n) })
	if err != nil {
		return 0, err
	}
	return got[0], nil
}

func TestReadersNoticeNothingOfARebuild(t *testing.T) {
	places(t, func(t *testing.T, p place) {
		db, other := p.open(t), p.open(t) // the server's, and that of the process that rebuilds
		random := rand.New(rand.NewPCG(18, 18))
		h := &projectiontest.History{Log: &projectiontest.Log{}, Pick: random.IntN}
		h.Begin()
		for range 400 {
			h.Step()
		}
		e := projectiontest.Engine(t, db, h.Log, catalogue.All()...)
		stop := run(t, e)
		waitFor(t, e, h.Log)
		give(t, p)
		before := describe(t, p)

		ended, errs := make(chan struct{}), make(chan error, 100)
		var wait sync.WaitGroup
		loop := func(pause time.Duration, do func() error) {
			wait.Go(func() {
				for {
					select {
					case <-ended:
						return
					case <-time.After(pause):
					}
					if err := do(); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		loop(4*time.Millisecond, func() error { h.Step(); return nil })
		for _, r := range append(readers(t, p), reader{"the product", func(ctx context.Context, query string) (int64, error) {
			return number(db.Query(ctx, query))
		}}) {
			least := map[string]int64{}
			loop(3*time.Millisecond, func() error {
				for _, query := range counts {
					n, err := r.ask(context.Background(), query)
					if err != nil {
						return fmt.Errorf("%s: %s: %w", r.name, query, err)
					}
					if n < max(1, least[query]) {
						return fmt.Errorf("%s: %s: %d after %d", r.name, query, n, least[query])
					}
					least[query] = n
				}
				return nil
			})
		}
		loop(2*time.Millisecond, func() error {
			return db.View(context.Background(), func(v readstore.Queryer) error {
				one, err := number(v.Query(context.Background(), counts[0]))
				if err != nil {
					return err
				}
				<-time.After(time.Millisecond)
				two, err := number(v.Query(context.Background(), counts[1]))
				if err == nil && one != two {
					err = fmt.Errorf("a view has %d sessions and %d transcripts", one, two)
				}
				return err
			})
		})
		for range 3 {
			if err := projections.Rebuild(context.Background(), other, h.Log, catalogue.All(), projections.Rebuilding{}); err != nil {
				t.Error(err)
			}
			<-time.After(200 * time.Millisecond)
		}
		close(ended)
		wait.Wait()
		close(errs)
		for err := range errs {
			t.Error(err)
		}
		waitFor(t, e, h.Log)
		_ = stop()
		projectiontest.Equal(t, clean(t, h.Log), projectiontest.Dump(t, db, catalogue.All()...))
		if diff := cmp.Diff(before, describe(t, p)); diff != "" {
			t.Errorf("the schema is another (-before +after):\n%s", diff)
		}
	})
}

// readers of PostgreSQL are programs of others, with statements that are prepared and without.
func readers(t *testing.T, p place) []reader {
	if !p.isPostgres() {
		return nil
	}
	var out []reader
	for name, mode := range map[string]pgx.QueryExecMode{
		"prepared": pgx.QueryExecModeCacheStatement, "described": pgx.QueryExecModeCacheDescribe, "simple": pgx.QueryExecModeSimpleProtocol,
	} {
		config, err := pgx.ParseConfig(string(p))
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		out = append(out, reader{name, func(ctx context.Context, query string) (n int64, err error) {
			if strings.HasSuffix(query, "queue_snapshot") {
				query = "SELECT count(*) FROM queue_snapshot_at('2026-03-01T23:00:00Z')"
			}
			return n, conn.QueryRow(ctx, query).Scan(&n)
		}})
	}
	return out
}

// give is what an administrator may do besides.
func give(t *testing.T, p place) {
	t.Helper()
	if !p.isPostgres() {
		return
	}
	conn, err := pgx.Connect(context.Background(), string(p))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	const statements = "GRANT SELECT ON dim_queue TO PUBLIC; GRANT SELECT (queue_id, offered) ON agg_queue_15m TO PUBLIC"
	if _, err := conn.Exec(context.Background(), statements); err != nil {
		t.Fatal(err)
	}
}

// describe tells all that the catalogue of PostgreSQL knows of the tables and views, and what stands beside them.
func describe(t *testing.T, p place) []string {
	t.Helper()
	if !p.isPostgres() {
		return nil
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, string(p))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		WITH here AS (SELECT oid, relname, relkind, reloptions, relacl FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v'))
		SELECT format('%s %s %s %s: %s', relname, relkind, reloptions, (SELECT string_agg(g::text, ' ' ORDER BY g::text) FROM unnest(relacl) AS g),
			obj_description(oid, 'pg_class')) FROM here
		UNION ALL SELECT format('%s.%s %s %s %s %s %s: %s', relname, attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attnum,
			attacl, col_description(attrelid, attnum)) FROM pg_attribute JOIN here ON here.oid = attrelid WHERE attnum > 0
		UNION ALL SELECT format('%s %s %s', relname, conname, pg_get_constraintdef(k.oid)) FROM pg_constraint AS k JOIN here ON here.oid = conrelid
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
		UNION ALL SELECT format('%s %s: %s', proname, proacl, obj_description(oid, 'pg_proc')) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
		UNION ALL SELECT format('in %s: %s', replace(schemaname, current_schema(), ''), tablename) FROM pg_tables
			WHERE schemaname IN (current_schema() || '_rebuild', current_schema() || '_retired') AND tablename NOT IN ('checkpoint', 'parked_event')
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	analyst, err := pgx.Connect(ctx, postgrestest.Login(string(p), "chatwatch_bi"))
	if err != nil {
		t.Fatal(err)
	}
	defer analyst.Close(ctx)
	for _, query := range counts {
		var n int64
		err := analyst.QueryRow(ctx, query).Scan(&n)
		all = append(all, fmt.Sprint("an analyst: ", query, " ", err))
	}
	return all
}
