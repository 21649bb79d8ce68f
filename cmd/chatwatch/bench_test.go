package main

import (
	"bufio"
	"bytes"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/storetest"
	"github.com/chatwatch/chatwatch/internal/simulation"
)

// clients that write at the same time, in the store alone and over HTTP.
const clients = 64

// BenchmarkMessages puts durable messages over HTTP beside what bounds them in the same run: the disk's raw rate of
// writes with fsync, and the store alone with as many appends in flight. The program runs in a process of its own, with
// its read models, live streams and process managers; the load generator shares the machine with it.
func BenchmarkMessages(b *testing.B) {
	b.Run("raw write and fsync", storetest.RawSync)
	var alone float64
	b.Run("store alone", func(b *testing.B) { alone = storeAlone(b) })
	b.Run("HTTP alone", httpAlone)
	b.Run("HTTP", func(b *testing.B) {
		result := overHTTP(b, 0)
		b.ReportMetric(result.Rate, "messages/s")
		b.ReportMetric(result.Rate/alone, "of-store")
		b.ReportMetric(float64(result.Latency.P50)/1000, "p50-ms")
		b.ReportMetric(float64(result.Latency.P99)/1000, "p99-ms")
	})
	b.Run("HTTP with live streams", func(b *testing.B) {
		result := overHTTP(b, 8)
		b.ReportMetric(result.Rate, "messages/s")
		b.ReportMetric(float64(result.Latency.P99)/1000, "p99-ms")
		b.ReportMetric(float64(result.AckToLive.P50)/1000, "live-p50-ms")
		b.ReportMetric(float64(result.AckToLive.P99)/1000, "live-p99-ms")
	})
}

// storeAlone appends messages as the program makes them, to a session for each of the clients.
func storeAlone(b *testing.B) float64 {
	store, err := embedded.Open(b.Context(), filepath.Join(b.TempDir(), "events.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	message, err := eventcodec.Encode(uuid.New(), session.PublicMessageSent{
		MessageID: uuid.NewString(), Sender: session.Sender{Role: domain.RoleCustomer, Name: "Customer"}, Text: strings.Repeat("x", 100),
	}, eventcodec.Metadata{
		Actor: domain.Actor{ID: uuid.NewString(), Role: domain.RoleCustomer}, OccurredAt: clock(),
		CorrelationID: uuid.NewString(), CausationID: uuid.NewString(),
	})
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			stream := "session-" + uuid.NewString()
			for revision := eventstore.NoStream; next.Add(1) <= int64(b.N); revision++ {
				e := message
				e.ID = uuid.New()
				if _, err := store.Append(b.Context(), stream, revision, []eventstore.Event{e}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "appends/s")
	return rate
}

// httpAlone asks for /healthz over as many connections: what the program, the kernel and a light load generator can do on
// this machine with requests that store and compute nothing.
func httpAlone(b *testing.B) {
	s := newServer(b)
	request := []byte("GET /healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n")
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for next.Add(1) <= int64(b.N) {
				if err := roundTrip(conn, in, request); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func roundTrip(conn net.Conn, in *bufio.Reader, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err := in.Discard(length)
	return err
}

func overHTTP(b *testing.B, listen int) simulation.LoadResult {
	s := newServer(b)
	config := s.simulation(nil)
	config.Parallel = clients
	b.ResetTimer()
	result, err := simulation.LoadMessages(b.Context(), simulation.LoadConfig{
		Config: config, Clients: clients, Messages: max(b.N, clients), Duration: time.Hour, Listen: listen,
	})
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	if err := result.Err(); err != nil {
		b.Fatal(err)
	}
	return result
}

// BenchmarkSimulation plays all conversations of CHATWATCH_TEST_CONVERSATIONS once, with supervisors who watch, coach and
// join, and reads everything back. Run it with -benchtime 1x.
func BenchmarkSimulation(b *testing.B) {
	for b.Loop() {
		s := newServer(b)
		config := s.simulation(conversations(b, math.MaxInt))
		config.Parallel = clients
		summary, err := simulation.Run(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		if err := summary.WriteText(os.Stdout); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(summary.MessageRate, "messages/s")
	}
}
