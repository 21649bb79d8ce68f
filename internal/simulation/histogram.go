package simulation

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram has 64 buckets for every doubling, so that a quantile is at most 1/64 too high. Its unit is the
// microsecond; everything above 2^40 µs (12 days) counts as that.
const (
	perDoubling  = 64
	bucketBits   = 6
	longest      = 1<<40 - 1
	bucketsCount = (40 - bucketBits + 1) * perDoubling
)

// histogram counts durations. Its zero value is empty; it may be used by many goroutines at once.
type histogram struct {
	buckets [bucketsCount]atomic.Uint64
	max     atomic.Uint64
}

func bucketOf(us uint64) int {
	if us < perDoubling {
		return int(us)
	}
	shift := bits.Len64(us) - bucketBits - 1
	return shift*perDoubling + int(us>>shift)
}

// highestOf is the largest number that falls into the bucket.
func highestOf(bucket int) uint64 {
	if bucket < perDoubling {
		return uint64(bucket)
	}
	shift := bucket/perDoubling - 1
	return uint64(bucket%perDoubling+perDoubling+1)<<shift - 1
}

// record counts a duration. A negative one counts as 0.
func (h *histogram) record(d time.Duration) {
	us := uint64(min(max(d.Microseconds(), 0), longest))
	h.buckets[bucketOf(us)].Add(1)
	for {
		top := h.max.Load()
		if us <= top || h.max.CompareAndSwap(top, us) {
			return
		}
	}
}

// Latency sums up durations of one kind, in microseconds.
type Latency struct {
	Count uint64 `json:"count"`
	P50   uint64 `json:"p50_us"`
	P99   uint64 `json:"p99_us"`
	Max   uint64 `json:"max_us"`
}

func (h *histogram) latency() Latency {
	var counts [bucketsCount]uint64
	l := Latency{Max: h.max.Load()}
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		l.Count += counts[i]
	}
	l.P50, l.P99 = quantile(&counts, l, 50), quantile(&counts, l, 99)
	return l
}

// quantile is the least bound that percent of all durations do not exceed.
func quantile(counts *[bucketsCount]uint64, l Latency, percent uint64) uint64 {
	if l.Count == 0 {
		return 0
	}
	rank := (l.Count*percent + 99) / 100
	var below uint64
	for i, n := range counts {
		if below += n; below >= rank {
			return min(highestOf(i), l.Max)
		}
	}
	return l.Max
}
