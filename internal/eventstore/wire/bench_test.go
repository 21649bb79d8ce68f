package wire_test

import (
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// BenchmarkRead reads the log through the official client; an operation is an event of 300 bytes.
func BenchmarkRead(b *testing.B) {
	const size = 50_000
	bed := serve(b)
	for range size / 1000 {
		events := make([]eventstore.Event, 1000)
		for i := range events {
			events[i] = eventstore.Event{ID: uuid.New(), Type: "PublicMessageSent", Data: fmt.Appendf(nil, `{"text":"%0290d"}`, i), Metadata: []byte(`{}`)}
		}
		if _, err := bed.store.Append(b.Context(), "session-1", eventstore.Any, events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		read, err := bed.client.ReadAll(b.Context(), esdb.ReadAllOptions{From: esdb.Start{}}, math.MaxUint64)
		for err == nil && n < b.N {
			if _, err = read.Recv(); err == nil {
				n++
			}
		}
		if err != nil && err != io.EOF {
			b.Fatal(err)
		}
		read.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
