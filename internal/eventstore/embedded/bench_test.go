package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
)

var payload = bytes.Repeat([]byte("x"), 200)
var metadata = bytes.Repeat([]byte("m"), 100)

// BenchmarkRawSync is what the disk can do in the place of a commit.
func BenchmarkRawSync(b *testing.B) { storetest.RawSync(b) }

// BenchmarkAppend appends one event of 300 bytes an append to 1,000 streams.
func BenchmarkAppend(b *testing.B) {
	for _, inFlight := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) { benchmarkAppend(b, inFlight) })
	}
}

func benchmarkAppend(b *testing.B, inFlight int) {
	ctx := context.Background()
	s, err := embedded.Open(ctx, filepath.Join(b.TempDir(), "events.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var next atomic.Int64
	took := make([]time.Duration, b.N)
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range inFlight {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				start := time.Now()
				e := []eventstore.Event{{ID: uuid.New(), Type: "PublicMessageSent", Data: payload, Metadata: metadata}}
				if _, err := s.Append(ctx, fmt.Sprintf("session-%d", i%1000), eventstore.Any, e); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkRead reads a log of 500,000 events.
func BenchmarkRead(b *testing.B) {
	const events = 500_000
	ctx := context.Background()
	s, err := embedded.Open(ctx, filepath.Join(b.TempDir(), "events.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	fill(b, s, events)
	perSecond := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("ReadAll", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range s.ReadAll(ctx, eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != events {
				b.Fatal(n)
			}
		}
		perSecond(b)
	})
	for name, f := range map[string]eventstore.Filter{
		"Subscribe":         {},
		"SubscribeFiltered": {StreamPrefixes: []string{"session-1"}, Types: []string{"PublicMessageSent"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				follow(b, s, f)
			}
			perSecond(b)
		})
	}
}

func fill(b *testing.B, s *embedded.Store, events int) {
	batch := make([]eventstore.Event, 100)
	for n := 0; n < events; n += len(batch) {
		for i := range batch {
			batch[i] = eventstore.Event{ID: uuid.New(), Type: "PublicMessageSent", Data: payload, Metadata: metadata}
		}
		stream := fmt.Sprintf("session-%d", n/len(batch)%1000)
		if _, err := s.Append(context.Background(), stream, eventstore.Any, batch); err != nil {
			b.Fatal(err)
		}
	}
}

func follow(b *testing.B, s *embedded.Store, f eventstore.Filter) {
	sub, err := s.Subscribe(context.Background(), eventstore.Start, f)
	if err != nil {
		b.Fatal(err)
	}
	defer sub.Close()
	for {
		batch, err := sub.Next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if batch.CaughtUp {
			return
		}
	}
}
