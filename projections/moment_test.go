package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/projections"
)

func TestAStretchOfTimeIsSplitIntoQuarters(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(minutes float64) time.Time { return day.Add(time.Duration(minutes * float64(time.Minute))) }
	split := func(from, to time.Time) (parts []string) {
		projections.Quarters(from, to, func(quarter time.Time, ms int64) {
			parts = append(parts, fmt.Sprint(quarter.Sub(day).Minutes(), " ", ms))
		})
		return parts
	}
	for name, c := range map[string]struct {
		from, to time.Time
		want     []string
	}{
		"within one":              {at(1), at(2), []string{"0 60000"}},
		"all of one":              {at(15), at(30), []string{"15 900000"}},
		"over three":              {at(14), at(31), []string{"0 60000", "15 900000", "30 60000"}},
		"before the epoch of all": {at(-1), at(1), []string{"-15 60000", "0 60000"}},
		"nothing":                 {at(1), at(1), nil},
		"backwards":               {at(2), at(1), nil},
		"less than a millisecond": {at(1), at(1).Add(999 * time.Microsecond), nil},
		"in another zone":         {at(14).In(time.FixedZone("", 600)), at(16), []string{"0 60000", "15 60000"}},
	} {
		if diff := cmp.Diff(c.want, split(c.from, c.to)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// Stretches that follow each other add up, wherever they meet.
	var sum int64
	for from := day; from.Before(at(5)); from = from.Add(1_234_567 * time.Microsecond / 10) {
		projections.Quarters(from, from.Add(1_234_567*time.Microsecond/10), func(_ time.Time, ms int64) { sum += ms })
	}
	if want := int64(300_000); sum < want || sum > want+124 {
		t.Errorf("%d ms in five minutes and a little", sum)
	}
}
