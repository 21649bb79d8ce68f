package readstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

func TestASpanIsTheClassOfADuration(t *testing.T) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		lasted time.Duration
		want   int64
	}{
		{-time.Second, 0}, {0, 0}, {time.Minute - time.Microsecond, 0}, {time.Minute, 1}, {4*time.Minute - time.Microsecond, 1},
		{4 * time.Minute, 2}, {16 * time.Minute, 3}, {63 * time.Minute, 3}, {64 * time.Minute, 4}, {24 * time.Hour, 6},
		{1<<20*time.Minute - time.Microsecond, 10}, {1 << 20 * time.Minute, 11}, {100 * 365 * 24 * time.Hour, 11},
	} {
		if got := *readstore.Span(start, start.Add(c.lasted)); got != c.want {
			t.Errorf("%v is of class %d, want %d", c.lasted, got, c.want)
		}
	}
}

// A database keeps whole microseconds: two times that it cannot tell apart make the same span.
func TestASpanIsOfWhatTheDatabaseKeeps(t *testing.T) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 900, time.UTC)
	end := time.Date(2026, 3, 1, 9, 1, 0, 100, time.UTC)
	if got := *readstore.Span(start, end); got != 1 {
		t.Errorf("a minute as stored is of class %d", got)
	}
}

func TestASubqueryHasAParameterForEachMark(t *testing.T) {
	i := readstore.NewIntervals("t", "k", "a", "b")
	if marks, args := strings.Count(i.Keys, "?"), len(i.At(time.Now())); marks != args {
		t.Errorf("%d marks and %d parameters", marks, args)
	}
}
