package storetest

import (
	"slices"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

var retryCases = []testCase{
	{"a retry at any revision gets the first answer and stores nothing", retriesExactly},
	{"a retry with other ids is refused", retriesOtherIDs},
	{"a retry that is stored in part only is refused", retriesInPart},
	{"a retry in other words has its ids compared and nothing else", comparesIDsOnly},
	{"a retry that expects nothing gets the first answer", retriesAny},
	{"ids of another stream are no retry", retriesOtherStream},
	{"what was acknowledged is there when the log is opened again", lasts},
}

func retriesExactly(e *env) {
	s := e.stream("a")
	var batches [][]eventstore.Event
	var answers []eventstore.Appended
	expected := eventstore.NoStream
	for _, n := range []int{1, 3, 1, 2, 5} {
		batches = append(batches, news(n))
		answers = append(answers, e.must(s, expected, batches[len(batches)-1]))
		expected = eventstore.Exactly(answers[len(answers)-1].Revision)
	}
	for range 2 {
		expected = eventstore.NoStream
		for i, batch := range batches {
			if got := e.must(s, expected, batch); got != answers[i] {
				e.Fatalf("retry of append %d: %+v, want %+v", i, got, answers[i])
			}
			expected = eventstore.Exactly(answers[i].Revision)
		}
	}
	e.same("the stream", e.readStream(s, 0, eventstore.Forwards, 0), idsOf(slices.Concat(batches...)))
	if got := e.must(s, eventstore.NoStream, slices.Concat(batches[0], batches[1])); got != answers[1] {
		e.Fatalf("retry of two appends as one: %+v, want %+v", got, answers[1])
	}
}

func retriesOtherIDs(e *env) {
	s := e.stream("a")
	first := news(2)
	e.must(s, eventstore.NoStream, first)
	e.must(s, eventstore.Exactly(1), news(1))
	e.refused(s, eventstore.NoStream, 2, news(2))
	e.refused(s, eventstore.NoStream, 2, reversed(first))
	e.refused(s, eventstore.Exactly(0), 2, first)
}

func retriesInPart(e *env) {
	s := e.stream("a")
	first := news(2)
	e.must(s, eventstore.NoStream, first)
	e.refused(s, eventstore.NoStream, 1, slices.Concat(first[:1], news(1)))
	e.refused(s, eventstore.NoStream, 1, slices.Concat(first, news(1)))
	if got := e.must(s, eventstore.NoStream, first[:1]); got.Revision != 0 {
		e.Fatalf("retry of the first event: revision %d", got.Revision)
	}
}

func comparesIDsOnly(e *env) {
	s := e.stream("a")
	first := news(1)
	want := e.must(s, eventstore.NoStream, first)
	again := slices.Clone(first)
	again[0].Type, again[0].Data, again[0].Metadata = "Otherwise", []byte(`{"other":true}`), []byte(`{}`)
	if got := e.must(s, eventstore.NoStream, again); got != want {
		e.Fatalf("%+v, want %+v", got, want)
	}
	if got := e.readStream(s, 0, eventstore.Forwards, 0); len(got) != 1 || got[0].Type != first[0].Type {
		e.Fatalf("the stored event changed: %v", got)
	}
}

func retriesAny(e *env) {
	for name, expected := range map[string]eventstore.Expected{"any": eventstore.Any, "exists": eventstore.StreamExists} {
		s := e.stream(name)
		e.must(s, eventstore.NoStream, news(1))
		batch := news(3)
		want := e.must(s, expected, batch)
		e.must(s, eventstore.Any, news(1))
		if got := e.must(s, expected, batch); got != want {
			e.Fatalf("retry expecting %s: %+v, want %+v", name, got, want)
		}
		e.refused(s, expected, 4, slices.Concat(batch, news(1)))
		if got := e.readStream(s, 0, eventstore.Forwards, 0); len(got) != 5 {
			e.Fatalf("%d events, want 5", len(got))
		}
	}
}

func retriesOtherStream(e *env) {
	events := news(2)
	e.must(e.stream("a"), eventstore.Any, events)
	if got := e.must(e.stream("b"), eventstore.Any, events); got.Revision != 1 {
		e.Fatalf("revision %d, want 1", got.Revision)
	}
	if got := e.must(e.stream("c"), eventstore.NoStream, events); got.Revision != 1 {
		e.Fatalf("revision %d, want 1", got.Revision)
	}
}

func lasts(e *env) {
	if e.suite.reopen == nil {
		e.Skip("this store cannot be opened again")
	}
	s := e.stream("a")
	first, second := news(3), news(2)
	want := e.must(s, eventstore.NoStream, first)
	e.store = e.suite.reopen(e.T, e.store)
	if got := e.must(s, eventstore.NoStream, first); got != want {
		e.Fatalf("retry: %+v, want %+v", got, want)
	}
	e.refused(s, eventstore.NoStream, 2, news(1))
	if got := e.must(s, eventstore.Exactly(2), second); got.Position <= want.Position || got.Revision != 4 {
		e.Fatalf("append after %+v: %+v", want, got)
	}
	e.same("the log", e.readAll(eventstore.Start, eventstore.Forwards, 0, e.own()), idsOf(slices.Concat(first, second)))
}
