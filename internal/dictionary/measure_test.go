package dictionary_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/internal/dictionary"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

// wanted are the measures of history, reckoned by hand. Those of agents are of Anna, Ben and Sue.
var wanted = map[string]map[string]any{
	"offered":  {"sales": 6.0},                                      // a b c d e f
	"answered": {"sales": 2.0},                                      // a b; e was given to Ben
	"wait_ms":  {"sales": 10_000.0 + 30_000 + 3000 + 60_000 + 5000}, // all but f, which is not over
	// (10 s + 30 s) / 2
	"average_speed_of_answer_ms": {"sales": 20_000.0},
	"abandoned":                  {"sales": 1.0}, // d
	"short_abandoned":            {"sales": 1.0}, // c
	// a alone was answered within 20 s, of six
	"service_level": {"sales": 1.0 / 6},
	// a: 16 s; b: 65 − 20 = 45 s; nobody else got an answer
	"average_first_response_ms": {"sales": 30_500.0},
	// 60 → 78
	"average_time_to_help_ms": {"sales": 18_000.0},
	// a: 60 s and 10 s of wrap-up; b: 60 s; e: 20 s; three turns
	"average_handle_time_ms": {"sales": 50_000.0},
	// Anna: busy from 10 to 110, idle from 0 to 10 and from 110 to 200. Ben: busy 20 s, idle 105 s. Sue: watching is not busy.
	"occupancy": {"anna": 0.5, "ben": 0.16, "sue": 0.0},
	// Anna: 60 s + 60 s in 100 s. Ben: one at a time. Sue had none.
	"concurrency": {"anna": 1.2, "ben": 1.0, "sue": nil},
}

func TestEachMeasureIsWhatIsReckonedByHand(t *testing.T) {
	for name, open := range projectiontest.Databases() {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			projectiontest.Apply(t, db, history(), catalogue.All()...)
			for _, m := range dictionary.Measures() {
				got := measure(t, db, m)
				if m.Name == "oldest_wait_ms" {
					// f has waited since 110 s.
					if ms := got["sales"].(float64); math.Abs(ms-float64(time.Since(at(110)).Milliseconds())) > 60_000 {
						t.Errorf("%s: %v", m.Name, ms)
					}
					continue
				}
				if diff := cmp.Diff(wanted[m.Name], got); diff != "" {
					t.Errorf("%s:\n%s", m.Name, diff)
				}
			}
		})
	}
}

// measure runs the SQL of a measure, which has to name it.
func measure(t *testing.T, db readstore.DB, m dictionary.Measure) map[string]any {
	t.Helper()
	out := map[string]any{}
	rows, err := db.Query(context.Background(), m.SQL)
	_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
		columns, err := rows.Columns()
		if err != nil || len(columns) != 2 || columns[1] != m.Name {
			t.Fatalf("%s has the columns %v: %v", m.Name, columns, err)
		}
		var of string
		var value *float64
		if err = rows.Scan(&of, &value); value != nil {
			out[of] = *value
		} else {
			out[of] = nil
		}
		return struct{}{}, err
	})
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return out
}

func TestEachMeasureSaysWhatItIs(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range dictionary.Measures() {
		if seen[m.Name] {
			t.Errorf("%s stands twice", m.Name)
		}
		seen[m.Name] = true
		for _, text := range []string{m.Name, m.Definition, m.Unit, m.SQL, m.Genesys, m.Connect, m.Dynamics} {
			if text == "" {
				t.Errorf("%s has an empty field: %+v", m.Name, m)
			}
		}
	}
}
