package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/embedded"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// patience bounds what is waited for.
const patience = time.Minute

// bed is a store that is served, and clients of it.
type bed struct {
	testing.TB
	ctx     context.Context
	store   eventstore.Store
	server  *wire.Server
	address string
	client  *esdb.Client
	raw     api.StreamsClient // for what the client cannot say
	logs    *logs
}

// serve serves an embedded store, with writes, and changes to the configuration.
func serve(t testing.TB, changes ...func(*wire.Config)) *bed {
	t.Helper()
	store, err := embedded.Open(t.Context(), filepath.Join(t.TempDir(), "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return serveStore(t, store, changes...)
}

func serveStore(t testing.TB, store eventstore.Store, changes ...func(*wire.Config)) *bed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	b := &bed{TB: t, ctx: ctx, store: store, logs: &logs{}}
	c := wire.Config{Store: store, Writes: true, Logger: slog.New(slog.NewTextHandler(b.logs, nil))}
	for _, change := range changes {
		change(&c)
	}
	b.server = wire.New(c)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(listener) }()
	t.Cleanup(func() {
		b.server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	if c.TLS == nil {
		b.client = b.dial("esdb://" + b.address + "?tls=false")
		b.raw = api.NewStreamsClient(b.connect())
	}
	return b
}

func (b *bed) dial(url string) *esdb.Client {
	b.Helper()
	settings, err := esdb.ParseConnectionString(url)
	if err != nil {
		b.Fatal(err)
	}
	settings.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(settings)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Close() })
	return client
}

func (b *bed) connect() *grpc.ClientConn {
	b.Helper()
	conn, err := grpc.NewClient(b.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// logs is what the server has logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// news makes events for the client.
func news(n int, types ...string) []esdb.EventData {
	events := make([]esdb.EventData, n)
	for i := range events {
		eventType := "Happened"
		if len(types) > 0 {
			eventType = types[i%len(types)]
		}
		events[i] = esdb.EventData{
			EventID: uuid.New(), EventType: eventType, ContentType: esdb.ContentTypeJson,
			Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: []byte(`{"actor":"a"}`),
		}
	}
	return events
}

// must appends through the client.
func (b *bed) must(stream string, expected esdb.ExpectedRevision, events []esdb.EventData) *esdb.WriteResult {
	b.Helper()
	result, err := b.client.AppendToStream(b.ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
	if err != nil {
		b.Fatalf("append to %s: %v", stream, err)
	}
	return result
}

// put appends n events to the store itself, and gives the position of the last.
func (b *bed) put(stream string, n int, types ...string) eventstore.Position {
	b.Helper()
	events := make([]eventstore.Event, n)
	for i, e := range news(n, types...) {
		events[i] = eventstore.Event{ID: e.EventID, Type: e.EventType, Data: e.Data, Metadata: e.Metadata}
	}
	appended, err := b.store.Append(b.ctx, stream, eventstore.Any, events)
	if err != nil {
		b.Fatal(err)
	}
	return appended.Position
}

// readStream reads a stream through the client.
func (b *bed) readStream(stream string, o esdb.ReadStreamOptions, count uint64) ([]*esdb.RecordedEvent, error) {
	b.Helper()
	return b.collect(b.client.ReadStream(b.ctx, stream, o, count))
}

func (b *bed) readAll(o esdb.ReadAllOptions, count uint64) []*esdb.RecordedEvent {
	b.Helper()
	all, err := b.collect(b.client.ReadAll(b.ctx, o, count))
	if err != nil {
		b.Fatalf("read all: %v", err)
	}
	return all
}

func (b *bed) collect(read *esdb.ReadStream, err error) ([]*esdb.RecordedEvent, error) {
	b.Helper()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	var all []*esdb.RecordedEvent
	for {
		e, err := read.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, e.Event)
	}
}

// whole reads all of a stream, forwards, and demands that it is there.
func (b *bed) whole(stream string) []*esdb.RecordedEvent {
	b.Helper()
	all, err := b.readStream(stream, esdb.ReadStreamOptions{From: esdb.Start{}}, math.MaxUint64)
	if err != nil {
		b.Fatalf("read %s: %v", stream, err)
	}
	return all
}

func revisions(all []*esdb.RecordedEvent) []uint64 {
	out := make([]uint64, len(all))
	for i, e := range all {
		out[i] = e.EventNumber
	}
	return out
}

func positions(all []*esdb.RecordedEvent) []uint64 {
	out := make([]uint64, len(all))
	for i, e := range all {
		out[i] = e.Position.Commit
	}
	return out
}

// counted is the numbers from first to last, either way.
func counted(first, last int) []uint64 {
	out := []uint64{}
	for i := min(first, last); i <= max(first, last); i++ {
		out = append(out, uint64(i))
	}
	if first > last {
		slices.Reverse(out)
	}
	return out
}

func (b *bed) same(what string, got, want []uint64) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s: %v, want %v", what, got, want)
	}
}

// failsWith demands an error of the client.
func (b *bed) failsWith(what string, err error, code esdb.ErrorCode) {
	b.Helper()
	failure, ok := errors.AsType[*esdb.Error](err)
	if !ok || failure.Code() != code {
		b.Errorf("%s: %v, want code %d", what, err, code)
	}
}
