package storetest

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var appendCases = []testCase{
	{"an append counts revisions from 0 and positions upwards", countsRevisions},
	{"what was appended is read as it was", keepsBytes},
	{"no stream is expected of a stream without events only", expectsNoStream},
	{"an exact revision is expected of a stream that ends there", expectsExactly},
	{"an existing stream is expected of a stream with events only", expectsExisting},
	{"anything goes where nothing is expected", expectsNothing},
	{"a batch is stored whole or not at all", storesWhole},
	{"bounds are kept", keepsBounds},
	{"senseless appends are refused", refusesSenseless},
	{"slices may be reused after an append", copiesSlices},
}

func countsRevisions(e *env) {
	s := e.stream("a")
	one := e.must(s, eventstore.NoStream, news(1))
	three := e.must(s, eventstore.Exactly(0), news(3))
	other := e.must(e.stream("b"), eventstore.NoStream, news(1))
	if one.Revision != 0 || three.Revision != 3 || other.Revision != 0 {
		e.Fatalf("revisions %d, %d and %d, want 0, 3 and 0", one.Revision, three.Revision, other.Revision)
	}
	if one.Position <= eventstore.Start || one.Position >= three.Position || three.Position >= other.Position {
		e.Fatalf("positions %d, %d and %d do not grow", one.Position, three.Position, other.Position)
	}
	head, err := e.store.Head(e.ctx)
	if err != nil || head < other.Position {
		e.Fatalf("head %d (%v) after an append at %d", head, err, other.Position)
	}
	for i, r := range e.readStream(s, 0, eventstore.Forwards, 0) {
		if r.Revision != uint64(i) {
			e.Fatalf("event %d has revision %d", i, r.Revision)
		}
		if i == 3 && r.Position != three.Position {
			e.Fatalf("position %d was answered, %d is read", three.Position, r.Position)
		}
	}
}

func keepsBytes(e *env) {
	s := e.stream("ünï/code")
	before := time.Now().Add(-time.Minute)
	big := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	events := []eventstore.Event{
		{ID: uuid.New(), Type: "Plain", Data: []byte(`{"text":"ü \u0000"}`), Metadata: []byte(`{"$correlationId":"c","key":"ä"}`)},
		{ID: uuid.New(), Type: "Big", Data: []byte(`{"big":"` + string(big) + `"}`), Metadata: []byte(`{"k":"v"}`)},
		{ID: uuid.New(), Type: "Small", Data: []byte(`{}`), Metadata: []byte(`{}`)},
	}
	e.must(s, eventstore.NoStream, events)
	for i, got := range e.readStream(s, 0, eventstore.Forwards, 0) {
		want := events[i]
		if got.ID != want.ID || got.Type != want.Type || got.Stream != s ||
			!bytes.Equal(got.Data, want.Data) || !bytes.Equal(got.Metadata, want.Metadata) {
			e.Fatalf("event %d (%s) came back changed", i, want.Type)
		}
		if got.RecordedAt.Before(before) || got.RecordedAt.After(time.Now().Add(time.Minute)) || got.RecordedAt.Location() != time.UTC {
			e.Fatalf("event %d was recorded at %v", i, got.RecordedAt)
		}
	}
}

func expectsNoStream(e *env) {
	s := e.stream("a")
	e.must(s, eventstore.NoStream, news(2))
	e.refused(s, eventstore.NoStream, 1, news(1))
}

func expectsExactly(e *env) {
	s := e.stream("a")
	e.refused(s, eventstore.Exactly(0), eventstore.NoStream, news(1))
	e.must(s, eventstore.NoStream, news(3))
	e.refused(s, eventstore.Exactly(1), 2, news(1))
	e.refused(s, eventstore.Exactly(3), 2, news(1))
	e.must(s, eventstore.Exactly(2), news(1))
}

func expectsExisting(e *env) {
	s := e.stream("a")
	e.refused(s, eventstore.StreamExists, eventstore.NoStream, news(1))
	e.must(s, eventstore.NoStream, news(1))
	if got := e.must(s, eventstore.StreamExists, news(2)); got.Revision != 2 {
		e.Fatalf("revision %d, want 2", got.Revision)
	}
}

func expectsNothing(e *env) {
	s := e.stream("a")
	for i := range uint64(3) {
		if got := e.must(s, eventstore.Any, news(1)); got.Revision != i {
			e.Fatalf("revision %d, want %d", got.Revision, i)
		}
	}
}

func storesWhole(e *env) {
	s := e.stream("a")
	batch := news(250)
	if got := e.must(s, eventstore.NoStream, batch); got.Revision != 249 {
		e.Fatalf("revision %d, want 249", got.Revision)
	}
	e.refused(s, eventstore.Exactly(7), 249, news(5))
	e.same("the stream", e.readStream(s, 0, eventstore.Forwards, 0), idsOf(batch))
	e.same("the log", e.readAll(eventstore.Start, eventstore.Forwards, 0, e.own()), idsOf(batch))
}

func keepsBounds(e *env) {
	sized := func(n, bytesEach int) []eventstore.Event {
		events := news(n)
		for i := range events {
			events[i].Metadata = []byte(`{}`)
			events[i].Data = append(append([]byte(`"`), bytes.Repeat([]byte("x"), bytesEach-4)...), '"')
		}
		return events
	}
	e.must(e.stream("event"), eventstore.NoStream, sized(1, eventstore.MaxEventBytes))
	e.must(e.stream("append"), eventstore.NoStream, sized(8, eventstore.MaxAppendBytes/8))
	for what, events := range map[string][]eventstore.Event{
		"event":  sized(1, eventstore.MaxEventBytes+1),
		"append": sized(9, eventstore.MaxAppendBytes/8),
	} {
		_, err := e.store.Append(e.ctx, e.stream("refused"), eventstore.Any, events)
		if !errors.Is(err, eventstore.ErrTooLarge) {
			e.Fatalf("too large an %s: %v", what, err)
		}
	}
	long := e.stream(strings.Repeat("n", eventstore.MaxStreamName-len(e.prefix)))
	e.must(long, eventstore.NoStream, news(1))
	if _, err := e.store.Append(e.ctx, long+"n", eventstore.Any, news(1)); !errors.Is(err, eventstore.ErrInvalid) {
		e.Fatalf("too long a name: %v", err)
	}
}

func refusesSenseless(e *env) {
	without := func(change func(*eventstore.Event)) []eventstore.Event {
		events := news(1)
		change(&events[0])
		return events
	}
	for _, c := range []struct {
		what     string
		stream   string
		expected eventstore.Expected
		events   []eventstore.Event
	}{
		{"no stream name", "", eventstore.Any, news(1)},
		{"a name that is not UTF-8", e.stream("\xff"), eventstore.Any, news(1)},
		{"an unknown expectation", e.stream("a"), -7, news(1)},
		{"no events", e.stream("a"), eventstore.Any, nil},
		{"no id", e.stream("a"), eventstore.Any, without(func(v *eventstore.Event) { v.ID = uuid.Nil })},
		{"no type", e.stream("a"), eventstore.Any, without(func(v *eventstore.Event) { v.Type = "" })},
		{"too long a type", e.stream("a"), eventstore.Any, without(func(v *eventstore.Event) { v.Type = strings.Repeat("T", eventstore.MaxTypeName+1) })},
	} {
		if _, err := e.store.Append(e.ctx, c.stream, c.expected, c.events); !errors.Is(err, eventstore.ErrInvalid) {
			e.Errorf("%s: %v", c.what, err)
		}
	}
}

func copiesSlices(e *env) {
	s := e.stream("a")
	events := news(2)
	want := idsOf(events)
	data := bytes.Clone(events[0].Data)
	sub := e.subscribe(eventstore.End, e.own())
	e.must(s, eventstore.NoStream, events)
	clear(events[0].Data)
	clear(events[0].Metadata)
	clear(events)
	got := e.next(sub, 2)
	e.same("the subscription", got, want)
	if !bytes.Equal(got[0].Data, data) {
		e.Fatal("the data changed with the caller's slice")
	}
}
