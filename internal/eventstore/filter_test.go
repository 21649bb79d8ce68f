package eventstore_test

import (
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func TestFilterSelectsByPrefixAndTypeAndKeepsBackWhatStoresKeepForThemselves(t *testing.T) {
	for _, c := range []struct {
		prefixes, types []string
		stream, typ     string
		want            bool
	}{
		{nil, nil, "session-1", "A", true},
		{nil, nil, "$$session-1", "A", false},
		{nil, []string{"A"}, "session-1", "A", true},
		{nil, []string{"A"}, "session-1", "AB", false},
		{nil, []string{"A"}, "$$session-1", "A", false},
		{[]string{"session-", "staff-"}, nil, "staff-ada", "A", true},
		{[]string{"session-", "staff-"}, nil, "queue-1", "A", false},
		{[]string{"session-"}, []string{"A", "B"}, "session-1", "B", true},
		{[]string{"session-"}, []string{"A", "B"}, "session-1", "C", false},
		{[]string{"session-"}, nil, "$$session-1", "A", false},
		{[]string{"$$"}, nil, "$$session-1", "A", true},
		{[]string{""}, nil, "$$session-1", "A", false},
		{[]string{""}, nil, "session-1", "A", true},
	} {
		if got := (eventstore.Filter{StreamPrefixes: c.prefixes, Types: c.types}).Matches(c.stream, c.typ); got != c.want {
			t.Errorf("%v %v let %s of %s pass: %v", c.prefixes, c.types, c.typ, c.stream, got)
		}
	}
}
