// Package datadoc writes docs/data-dictionary.md: the measures of package dictionary, and the tables, views and functions of the
// PostgreSQL read database with what their comments say. Its test keeps the page fresh, and writes it when run by go generate
// in internal/dictionary, because it takes a migrated database.
package datadoc

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/chatwatch/chatwatch/internal/dictionary"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

const preamble = `<!-- Written by go generate ./internal/dictionary. Do not edit. -->

# Data dictionary

What analysts and auditors can read, and what the numbers mean. How to connect is in [bi.md](bi.md). Times are UTC, durations
whole milliseconds (names end in ` + "`_ms`" + `); on SQLite a time is an integer of microseconds since 1970, and a boolean is 0 or 1. The
tables and views of both databases have the same columns; only ` + "`log_origin`, `process_state` and `swap_gate`" + ` are on PostgreSQL alone.

Numbers of rows of ` + "`agg_queue_15m` and `agg_agent_15m`" + ` are additive: sum them up over any queues, agents and quarters, and divide
last. An average of averages is wrong. The quarter of a wait, a session or a turn is the one in which it began, so numbers of the
last hours still grow.
`

// Render makes the page from a migrated PostgreSQL database.
func Render(ctx context.Context, q readstore.Queryer) ([]byte, error) {
	relations, err := readRelations(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	functions, err := readFunctions(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read functions: %w", err)
	}
	var page bytes.Buffer
	page.WriteString(preamble)
	writeMeasures(&page)
	for _, c := range chapters {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n", c.title, c.text)
		for _, r := range relations {
			if c.has(r.name) {
				r.write(&page)
			}
		}
	}
	writeFunctions(&page, functions)
	return page.Bytes(), nil
}

func writeMeasures(page *bytes.Buffer) {
	page.WriteString("\n## Measures\n\nEach is given for all time; add a condition on `bucket_at` (or `enqueued_at`) for a stretch of it.\n")
	for _, m := range dictionary.Measures() {
		additive := "not additive"
		if m.Additive {
			additive = "additive"
		}
		fmt.Fprintf(page, "\n### %s\n\n%s\n\nUnit: %s; %s.\n\n```sql\n%s;\n```\n\n", m.Name, m.Definition, m.Unit, additive, m.SQL)
		fmt.Fprintf(page, "| Genesys Cloud | Amazon Connect | Dynamics 365 Omnichannel |\n|---|---|---|\n| %s | %s | %s |\n", m.Genesys, m.Connect, m.Dynamics)
	}
}

// chapter of the page: the relations whose names begin with one of the prefixes.
type chapter struct {
	title, text string
	prefixes    []string
}

var chapters = []chapter{
	{"Facts", "One row for each thing that happened.", []string{"fact_"}},
	{"Dimensions", "What facts refer to, one row for each version of it.", []string{"dim_"}},
	{"Aggregates", "Additive numbers by quarter of an hour.", []string{"agg_", "agent_"}},
	{"Now", "What goes on at this moment.", []string{"queue_snapshot", "staff_duty"}},
	{"Transcripts", "What people wrote. For auditors only.", []string{"transcript_"}},
	{"Operation", "How far the tables are, and what keeps them.", []string{"checkpoint", "parked_event", "log_origin", "process_state", "script_run", "swap_gate"}},
}

func (c chapter) has(name string) bool {
	for _, p := range c.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
