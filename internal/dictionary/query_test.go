package dictionary_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// answers to the queries of docs/queries about history, reckoned by hand.
var answers = map[string][]string{
	// offered, answered, in target, abandoned, short; 1 / 6; (10 s + 30 s) / 2
	"service_level.sql": {"sales|Sales|2026-03-01 09:00:00+00|6|2|1|1|1|0.1667|20000"},
	"wait_distribution.sql": {
		"sales|abandoned|1|60000|60000|60000|0|0|0|1|0",
		"sales|answered|2|10000|30000|30000|0|1|1|0|0",
		"sales|assigned|1|5000|5000|5000|1|0|0|0|0",
		"sales|short_abandoned|1|3000|3000|3000|1|0|0|0|0",
	},
	// Anna's turns: 70 s and 60 s
	"occupancy.sql": {
		"anna|Anna|2026-03-01|200|0.5000|1.2000|2|65000|0",
		"ben|Ben|2026-03-01|125|0.1600|1.0000|1|20000|0",
		"sue|Sue|2026-03-01|100|0.0000|-|0|-|30",
	},
	// a, b and e had agents; b was watched from 70 to 100, with one private message
	"supervision.sql":  {"sales|2026-03-01|3|1|1|0|0.3333|30"},
	"time_to_help.sql": {"sales|2026-03-01|1|1|18000|18000"},
	// one turn of Anna's two, none of Ben's: a third of all turns
	"watched_evenly.sql": {"ben|Ben|1|0|0.0000|0.00", "anna|Anna|2|1|0.5000|1.50"},
}

func TestTheQueriesOfTheDocumentationAnswer(t *testing.T) {
	url := postgrestest.Database(t)
	projectiontest.Apply(t, projectiontest.OpenPostgres(t, url), history(), catalogue.All()...)
	analyst, err := pgx.Connect(context.Background(), postgrestest.Login(url, "chatwatch_bi"))
	if err != nil {
		t.Fatal(err)
	}
	defer analyst.Close(context.Background())
	if _, err := analyst.Exec(context.Background(), "SET TimeZone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../docs/queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	page, err := os.ReadFile("../../docs/bi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		if !strings.Contains(string(page), "(queries/"+name+")") {
			t.Errorf("docs/bi.md does not tell of %s", name)
		}
		query, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := result(t, analyst, string(query))
		if name == "freshness.sql" {
			if len(got) != len(catalogue.Names()) {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if diff := cmp.Diff(answers[name], got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func result(t *testing.T, c *pgx.Conn, query string) []string {
	t.Helper()
	rows, err := c.Query(context.Background(), query, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var cells []string
		for _, v := range row.RawValues() { // texts, in this protocol
			if v == nil {
				v = []byte("-")
			}
			cells = append(cells, string(v))
		}
		return strings.Join(cells, "|"), nil
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}
