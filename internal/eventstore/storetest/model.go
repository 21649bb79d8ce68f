package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// model is the simplest log that keeps the promises which do not depend on a memory of recent ids.
type model struct {
	streams map[string][]uuid.UUID
	log     []entry
}

type entry struct {
	stream string
	id     uuid.UUID
	typ    string
}

// append tells what an append does: the revision that is answered, or that it is refused.
func (m *model) append(stream string, expected eventstore.Expected, events []eventstore.Event) (revision int, ok bool) {
	stored := m.streams[stream]
	last := len(stored) - 1
	switch {
	case expected == eventstore.StreamExists && last < 0, int(expected) > last:
		return 0, false
	case expected != eventstore.Any && expected != eventstore.StreamExists && int(expected) < last:
		first := int(expected) + 1
		end := first + len(events)
		return end - 1, end <= len(stored) && slices.Equal(stored[first:end], idsOf(events))
	}
	for _, v := range events {
		m.streams[stream] = append(m.streams[stream], v.ID)
		m.log = append(m.log, entry{stream, v.ID, v.Type})
	}
	return last + len(events), true
}

// behavesLikeModel compares a store with the model under random calls.
func (s *suite) behavesLikeModel(t *testing.T) {
	e := newEnv(t, s)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		c := &comparison{e: e, prefix: fmt.Sprintf("%sr%d-", e.prefix, round), model: model{streams: map[string][]uuid.UUID{}}}
		var err error
		if c.base, err = e.store.Head(e.ctx); err != nil {
			rt.Fatal(err)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append":      c.append,
			"retry":       c.retry,
			"read stream": c.readStream,
			"read log":    c.readLog,
			"follow":      c.follow,
		})
		c.whole(rt)
	})
}

type comparison struct {
	e      *env
	prefix string
	base   eventstore.Position // where the log ended when the round began: nothing of it is before
	model  model
}

func (c *comparison) stream(t *rapid.T) string {
	return c.prefix + rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(t, "stream")
}

func (c *comparison) append(t *rapid.T) {
	stream := c.stream(t)
	last := len(c.model.streams[stream]) - 1
	expected := eventstore.Expected(rapid.OneOf(
		rapid.Just(last), rapid.IntRange(-1, last+2), rapid.SampledFrom([]int{int(eventstore.Any), int(eventstore.StreamExists)}),
	).Draw(t, "expected"))
	events := news(rapid.IntRange(1, 4).Draw(t, "events"))
	for i := range events {
		events[i].Type = rapid.SampledFrom([]string{"A", "B"}).Draw(t, "type")
	}
	c.compareAppend(t, stream, expected, events)
}

// retry appends ids that are stored, perhaps with one that is not, at a revision where they may stand.
func (c *comparison) retry(t *rapid.T) {
	stream := c.stream(t)
	stored := c.model.streams[stream]
	if len(stored) < 2 {
		return
	}
	first := rapid.IntRange(0, len(stored)-1).Draw(t, "first")
	n := rapid.IntRange(1, len(stored)-first).Draw(t, "events")
	events := news(n)
	for i := range events {
		events[i].ID = stored[first+i]
	}
	if rapid.Bool().Draw(t, "changed") {
		events[n-1].ID = uuid.New()
	}
	at := rapid.IntRange(max(first-2, -1), first-1).Draw(t, "expected")
	c.compareAppend(t, stream, eventstore.Expected(at), events)
}

func (c *comparison) compareAppend(t *rapid.T, stream string, expected eventstore.Expected, events []eventstore.Event) {
	got, err := c.e.store.Append(c.e.ctx, stream, expected, events)
	before := len(c.model.streams[stream]) - 1
	revision, ok := c.model.append(stream, expected, events)
	if wrong, is := errors.AsType[*eventstore.WrongRevision](err); is && !ok {
		if int(wrong.Actual) != before {
			t.Fatalf("refused at revision %d, want %d", wrong.Actual, before)
		}
		return
	}
	if err != nil || !ok || int(got.Revision) != revision {
		t.Fatalf("append expecting %d at %d: %+v %v, want revision %d (%v)", expected, before, got, err, revision, ok)
	}
}

func (c *comparison) readStream(t *rapid.T) {
	stream := c.stream(t)
	want := c.model.streams[stream]
	from := rapid.IntRange(0, len(want)+1).Draw(t, "from")
	limit := rapid.IntRange(0, len(want)+1).Draw(t, "limit")
	direction := eventstore.Direction(rapid.IntRange(0, 1).Draw(t, "direction"))
	var got []uuid.UUID
	for r, err := range c.e.store.ReadStream(c.e.ctx, stream, uint64(from), direction, limit) {
		if errors.Is(err, eventstore.ErrStreamNotFound) && len(want) == 0 {
			return
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		got = append(got, r.ID)
	}
	part := want[min(from, len(want)):]
	if direction == eventstore.Backwards {
		part = reversed(want[:min(from+1, len(want))])
	}
	if want := window(part, limit); !slices.Equal(got, want) {
		t.Fatalf("read from %d, limit %d: %v, want %v", from, limit, got, want)
	}
}

// filter draws a filter within the names of this round.
func (c *comparison) filter(t *rapid.T) eventstore.Filter {
	return eventstore.Filter{
		StreamPrefixes: rapid.SampledFrom([][]string{
			{c.prefix}, {c.prefix + "a"}, {c.prefix + "ab"}, {c.prefix + "b", c.prefix + "ab"}, {c.prefix + "c"},
		}).Draw(t, "prefixes"),
		Types: rapid.SampledFrom([][]string{nil, {"A"}, {"B", "A"}, {"C"}}).Draw(t, "types"),
	}
}

func (c *comparison) matching(f eventstore.Filter) []uuid.UUID {
	var want []uuid.UUID
	for _, v := range c.model.log {
		if f.Matches(v.stream, v.typ) {
			want = append(want, v.id)
		}
	}
	return want
}

func (c *comparison) readLog(t *rapid.T) {
	f := c.filter(t)
	want := c.matching(f)
	from, direction, least := c.base, eventstore.Forwards, 0
	if rapid.Bool().Draw(t, "backwards") {
		from, direction, want = eventstore.End, eventstore.Backwards, reversed(want)
		if least = 1; len(want) == 0 {
			return // it would go back through all rounds
		}
	}
	limit := rapid.IntRange(least, len(want)+1-least).Draw(t, "limit")
	if got := ids(c.e.readAll(from, direction, limit, f)); !slices.Equal(got, window(want, limit)) {
		t.Fatalf("read of the log: %v, want %v", got, window(want, limit))
	}
}

func (c *comparison) follow(t *rapid.T) {
	f := c.filter(t)
	sub, err := c.e.store.Subscribe(c.e.ctx, c.base, f)
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	defer sub.Close()
	if got, _ := c.e.untilCaughtUp(sub); !slices.Equal(ids(got), c.matching(f)) {
		t.Fatalf("subscription: %v, want %v", ids(got), c.matching(f))
	}
}

// whole compares the whole log, and every stream's revisions.
func (c *comparison) whole(t *rapid.T) {
	count := map[string]uint64{}
	all := c.e.readAll(c.base, eventstore.Forwards, 0, eventstore.Filter{StreamPrefixes: []string{c.prefix}})
	if !slices.Equal(ids(all), c.matching(eventstore.Filter{})) {
		t.Fatalf("the log: %v, want %v", ids(all), c.matching(eventstore.Filter{}))
	}
	for i, r := range all {
		if r.Revision != count[r.Stream] || i > 0 && r.Position <= all[i-1].Position {
			t.Fatalf("event %d: %s revision %d at %d", i, r.Stream, r.Revision, r.Position)
		}
		count[r.Stream]++
	}
}
