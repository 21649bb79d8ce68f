package eventstoredb_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
)

// BenchmarkRawSync is what the disk can do in the place of a commit.
func BenchmarkRawSync(b *testing.B) { storetest.RawSync(b) }

// BenchmarkAppend appends one event of 300 bytes an append to 1,000 streams: to the embedded store, and to such a store over
// the protocol, with the adapter, the client and the server on the same processors.
func BenchmarkAppend(b *testing.B) {
	for _, inFlight := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(inFlight), func(b *testing.B) {
			direct := 0.0
			b.Run("embedded", func(b *testing.B) { direct = appends(b, teststore.Embedded(b), inFlight) })
			b.Run("over the wire", func(b *testing.B) {
				rate := appends(b, overWire(b, teststore.Embedded(b)), inFlight)
				b.ReportMetric(rate/direct, "of-embedded")
			})
		})
	}
}

func overWire(b *testing.B, behind eventstore.Store) eventstore.Store {
	return teststore.Connect(b, teststore.Serve(b, behind).URL())
}

func sample() eventstore.Event {
	return eventstore.Event{
		ID: uuid.New(), Type: "PublicMessageSent", Data: bytes.Repeat([]byte("x"), 200), Metadata: bytes.Repeat([]byte("m"), 100),
	}
}

// appends appends b.N times, so many at a time, and gives the rate.
func appends(b *testing.B, s eventstore.Store, inFlight int) float64 {
	e := sample()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range inFlight {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				e := e
				e.ID = uuid.New()
				if _, err := s.Append(context.Background(), fmt.Sprintf("session-%d", i%1000), eventstore.Any, []eventstore.Event{e}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "appends/s")
	return rate
}

// BenchmarkRead reads a log of 200,000 events of 300 bytes, and follows it to its end.
func BenchmarkRead(b *testing.B) {
	const events = 200_000
	embedded := teststore.Embedded(b)
	for n := 0; n < events; n += 100 {
		batch := make([]eventstore.Event, 100)
		for i := range batch {
			batch[i] = sample()
		}
		if _, err := embedded.Append(b.Context(), fmt.Sprintf("session-%d", n/100%1000), eventstore.Any, batch); err != nil {
			b.Fatal(err)
		}
	}
	wire := overWire(b, embedded)
	for name, read := range map[string]func(*testing.B, eventstore.Store) int{"ReadAll": readAll, "Subscribe": followAll} {
		direct := 0.0
		measure := func(b *testing.B, s eventstore.Store) float64 {
			for b.Loop() {
				if n := read(b, s); n != events {
					b.Fatalf("%d events", n)
				}
			}
			rate := float64(b.N) * events / b.Elapsed().Seconds()
			b.ReportMetric(rate, "events/s")
			return rate
		}
		b.Run(name+"/embedded", func(b *testing.B) { direct = measure(b, embedded) })
		b.Run(name+"/over the wire", func(b *testing.B) { b.ReportMetric(measure(b, wire)/direct, "of-embedded") })
	}
}

func readAll(b *testing.B, s eventstore.Store) (n int) {
	for _, err := range s.ReadAll(b.Context(), eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

func followAll(b *testing.B, s eventstore.Store) (n int) {
	sub, err := s.Subscribe(b.Context(), eventstore.Start, eventstore.Filter{StreamPrefixes: []string{"session-", "staff-"}})
	if err != nil {
		b.Fatal(err)
	}
	defer sub.Close()
	for {
		batch, err := sub.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if n += len(batch.Events); batch.CaughtUp {
			return n
		}
	}
}
