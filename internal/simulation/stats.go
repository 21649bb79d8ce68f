package simulation

import (
	"maps"
	"sync"
	"sync/atomic"
)

// kind of request, for the latencies.
type kind uint8

const (
	kindRequest kind = iota
	kindLook
	kindAccept
	kindMessage
	kindPrivate
	kindMonitor
	kindJoin
	kindLeave
	kindConclude
	kindSetUp
	kindReadBack
	kindCount
)

func (k kind) String() string {
	return [kindCount]string{
		"request", "look", "accept", "message", "private_message", "monitor", "join", "leave", "conclude", "set_up", "read_back",
	}[k]
}

// stats counts what a run does. It may be used by many goroutines at once.
type stats struct {
	latency   [kindCount]histogram
	ackToLive histogram

	sessions, messages, privates atomic.Int64
	monitored, coached, joined   atomic.Int64
	customerLeft, pulls, races   atomic.Int64
	listened, resumed            atomic.Int64
	failed, interrupted          atomic.Int64

	mu      sync.Mutex
	errors  map[string]int
	retries map[string]int
}

func newStats() *stats { return &stats{errors: map[string]int{}, retries: map[string]int{}} }

// countPlan counts what was done beside the messages.
func (s *stats) countPlan(p plan) {
	for _, n := range []struct {
		done  bool
		count *atomic.Int64
	}{{p.monitored, &s.monitored}, {p.coached, &s.coached}, {p.joined, &s.joined}, {p.customerLeaves, &s.customerLeft}} {
		if n.done {
			n.count.Add(1)
		}
	}
}

func (s *stats) countError(code string) {
	s.mu.Lock()
	s.errors[code]++
	s.mu.Unlock()
}

func (s *stats) countRetry(code string) {
	s.mu.Lock()
	s.retries[code]++
	s.mu.Unlock()
}

func (s *stats) errorsByCode() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.errors)
}

func (s *stats) retriesByCode() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.retries)
}

// latencies by kind, of those kinds that there were.
func (s *stats) latencies() map[string]Latency {
	all := map[string]Latency{}
	for k := range kindCount {
		if l := s.latency[k].latency(); l.Count > 0 {
			all[k.String()] = l
		}
	}
	return all
}
