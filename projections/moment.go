package projections

import "time"

// Later is the later of two times. Events carry the times of the nodes that decided, whose clocks may differ by a little:
// where one stretch of time has to begin where another ends, the second never begins before the first.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
