package feed

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is a pause that doubles from First to Max, and is shortened at random by up to a half, so that many who wait
// for the same thing do not come back together. None when Max is negative.
type Backoff struct {
	First, Max time.Duration
}

func (b Backoff) or(other Backoff) Backoff {
	if b == (Backoff{}) {
		return other
	}
	return b
}

// pause before attempt n, counted from 0.
func (b Backoff) pause(n int) time.Duration {
	if b.Max <= 0 {
		return 0
	}
	d := b.Max
	if n < 32 {
		if grown := b.First << n; grown > 0 && grown < d {
			d = grown
		}
	}
	return d - rand.N(d/2+1)
}

// wait pauses, and tells whether ctx goes on.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
