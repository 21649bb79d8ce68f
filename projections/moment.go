package projections

import "time"

// Quarter is the length of the rows of aggregates.
const Quarter = 15 * time.Minute

// QuarterOf is the beginning of the quarter of an hour in which a time lies.
func QuarterOf(at time.Time) time.Time { return at.UTC().Truncate(Quarter) }

// longestStretch bounds what Quarters splits: what would be longer is the doing of a wrong clock.
const longestStretch = 366 * 24 * time.Hour

// Quarters splits a stretch of time into its quarters of an hour, and tells how many milliseconds of it each has. Times count
// in whole milliseconds, so stretches that follow each other add up to the whole. Of a stretch longer than a leap year it
// takes the first of that length.
func Quarters(from, to time.Time, book func(quarter time.Time, ms int64)) {
	if end := from.Add(longestStretch); to.After(end) {
		to = end
	}
	for from.Before(to) {
		quarter := QuarterOf(from)
		next := quarter.Add(Quarter)
		if next.After(to) {
			next = to
		}
		if ms := next.UnixMilli() - from.UnixMilli(); ms > 0 {
			book(quarter, ms)
		}
		from = next
	}
}

// Later is the later of two times. Events carry the times of the nodes that decided, whose clocks may differ by a little:
// where one stretch of time has to begin where another ends, the second never begins before the first.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
