package api

import (
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/chatwatch/chatwatch/domain"
)

// addresses bounds how many callers are remembered; who is forgotten starts afresh.
const addresses = 50_000

// limiter bounds what callers without a token can do, an address.
type limiter struct {
	perSecond rate.Limit
	burst     int
	known     *lru.Cache[string, *rate.Limiter]
}

func newLimiter(l Limits) (*limiter, error) {
	known, err := lru.New[string, *rate.Limiter](addresses)
	if err != nil {
		return nil, fmt.Errorf("api: cache of addresses: %w", err)
	}
	return &limiter{perSecond: rate.Limit(l.SessionsPerSecond), burst: l.SessionsBurst, known: known}, nil
}

func (l *limiter) admit(address string, now time.Time) error {
	bucket, ok := l.known.Get(address)
	if !ok {
		bucket = rate.NewLimiter(l.perSecond, l.burst)
		if earlier, there, _ := l.known.PeekOrAdd(address, bucket); there {
			bucket = earlier
		}
	}
	if !bucket.AllowN(now, 1) {
		return rejected(domain.TooManyRequests, "too many requests from this address")
	}
	return nil
}
