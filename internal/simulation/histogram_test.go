package simulation

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEveryDurationLiesInItsBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Uint64Range(0, longest).Draw(t, "us")
		b := bucketOf(us)
		if b < 0 || b >= bucketsCount {
			t.Fatalf("bucket %d", b)
		}
		high := highestOf(b)
		if us > high || bucketOf(high) != b || b > 0 && us <= highestOf(b-1) || high-us > us/perDoubling {
			t.Fatalf("%d lies in bucket %d, which ends at %d", us, b, high)
		}
	})
}

func TestQuantilesAreNeverTooLowAndHardlyTooHigh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(-5, 10_000_000), 1, 300).Draw(t, "us")
		var h histogram
		for i, us := range all {
			h.record(time.Duration(us) * time.Microsecond)
			all[i] = max(us, 0)
		}
		slices.Sort(all)
		got := h.latency()
		if got.Count != uint64(len(all)) || got.Max != uint64(all[len(all)-1]) {
			t.Fatalf("%+v", got)
		}
		for percent, q := range map[int]uint64{50: got.P50, 99: got.P99} {
			exact := uint64(all[(len(all)*percent+99)/100-1])
			if q < exact || q > exact+exact/perDoubling {
				t.Fatalf("p%d is %d, want %d", percent, q, exact)
			}
		}
	})
}

func TestManyRecordAtOnceAndNothingIsLost(t *testing.T) {
	var h histogram
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for j := range 1000 {
				h.record(time.Duration(i*1000+j) * time.Microsecond)
			}
		})
	}
	writers.Wait()
	if got := h.latency(); got.Count != 8000 || got.Max != 7999 {
		t.Errorf("%+v", got)
	}
}

func TestEmptyHistogramHasNoLatency(t *testing.T) {
	var h histogram
	h2 := h.latency()
	if h2 != (Latency{}) {
		t.Errorf("%+v", h2)
	}
	h.record(100 * 365 * 24 * time.Hour)
	if got := h.latency(); got.Max != longest || got.P50 != longest {
		t.Errorf("%+v", got)
	}
}
