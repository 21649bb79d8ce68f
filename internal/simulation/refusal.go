package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Refusal is an answer of the server that is no success. Code is the problem's code, or http_<status> when it had none.
type Refusal struct {
	Status int
	Code   string

	retryAfter time.Duration
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Code) }

func refusalOf(res *http.Response, body []byte, now time.Time) *Refusal {
	var problem struct {
		Code string `json:"code"`
	}
	r := &Refusal{Status: res.StatusCode, retryAfter: retryAfter(res.Header.Get("Retry-After"), now)}
	if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
		r.Code = problem.Code
	} else {
		r.Code = "http_" + strconv.Itoa(res.StatusCode)
	}
	return r
}

// retryAfter reads the header, which holds seconds or a date. 0 when it holds neither.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// codeOf names an error in the counts.
func codeOf(err error) string {
	refusal, refused := errors.AsType[*Refusal](err)
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case refused:
		return refusal.Code
	case errors.Is(err, context.Canceled):
		return "canceled"
	case network && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errUnreachable), network:
		return "connection"
	}
	return "simulation"
}

// refused tells whether the error is a refusal with one of the codes.
func refused(err error, codes ...string) bool {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if r.Code == code {
			return true
		}
	}
	return false
}

// passing tells whether the same request may succeed later: there was no answer, or one that says so.
func passing(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		return true
	}
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Pauses between two attempts at one request.
const (
	firstPause   = 20 * time.Millisecond
	longestPause = time.Second
)

// pauseBefore is how long to wait before the attempt after the failed one: twice as long each time, within the half of it
// at random so that many do not come back at once, and never less than the server asked for.
func pauseBefore(attempt int, err error) time.Duration {
	d := longestPause
	if attempt < 6 {
		d = min(firstPause<<attempt, longestPause)
	}
	d = d/2 + rand.N(d/2+1)
	if r, ok := errors.AsType[*Refusal](err); ok {
		d = max(d, r.retryAfter)
	}
	return d
}

// pause waits, or until the context is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
