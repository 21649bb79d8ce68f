package wire_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func TestAppendsAreCheckedAgainstWhatIsExpected(t *testing.T) {
	b := serve(t)
	b.must("a", esdb.NoStream{}, news(3))
	b.must("a", esdb.Revision(2), news(1))
	b.must("a", esdb.Any{}, news(1))
	result := b.must("a", esdb.StreamExists{}, news(2))
	if result.NextExpectedVersion != 6 || result.CommitPosition != 7 || result.PreparePosition != 7 {
		t.Errorf("answer %+v, want revision 6 at position 7", result)
	}
	for _, c := range []struct {
		stream   string
		expected esdb.ExpectedRevision
		want     string
	}{
		{"a", esdb.NoStream{}, "expecting 'no_stream' but got '6'"},
		{"a", esdb.Revision(3), "expecting '3' but got '6'"},
		{"a", esdb.Revision(9), "expecting '9' but got '6'"},
		{"b", esdb.StreamExists{}, "expecting 'stream_exists' but got 'no_stream'"},
		{"b", esdb.Revision(0), "expecting '0' but got 'no_stream'"},
	} {
		_, err := b.client.AppendToStream(t.Context(), c.stream, esdb.AppendToStreamOptions{ExpectedRevision: c.expected}, news(1)...)
		b.failsWith(c.want, err, esdb.ErrorCodeWrongExpectedVersion)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	b.same("the stream", revisions(b.whole("a")), counted(0, 6))
}

func TestARepeatedAppendGetsTheAnswerOfTheFirst(t *testing.T) {
	b := serve(t)
	b.must("a", esdb.NoStream{}, news(2))
	for _, expected := range []esdb.ExpectedRevision{esdb.Revision(1), esdb.Any{}} {
		events := news(2)
		first := b.must("a", expected, events)
		if again := b.must("a", expected, events); *again != *first {
			t.Errorf("%v: %+v, then %+v", expected, first, again)
		}
	}
	if n := len(b.whole("a")); n != 6 {
		t.Errorf("%d events, want 6", n)
	}
}

func TestWhatIsReadIsWhatWasAppended(t *testing.T) {
	b := serve(t)
	for i, c := range []struct {
		data, contentType string
	}{
		{`{"text":"ü"}`, "application/json"}, {`[1]`, "application/json"}, {`"x"`, "application/json"}, {`-1.5e3`, "application/json"},
		{`true`, "application/json"}, {`null`, "application/json"}, {"\x00\x01", "application/octet-stream"}, {``, "application/octet-stream"},
		{`{"half`, "application/octet-stream"}, {`"`, "application/octet-stream"}, {`NaN`, "application/octet-stream"},
		{`{"long":"` + strings.Repeat("x", 99) + "\"}\n", "application/json"}, {`{"long":"` + strings.Repeat("x", 99), "application/octet-stream"},
		{`[` + strings.Repeat("1,", 40) + `1]`, "application/json"}, {`"` + strings.Repeat("x", 99) + `"`, "application/json"},
	} {
		stream := fmt.Sprintf("ünï-%d", i)
		e := esdb.EventData{EventID: uuid.New(), EventType: "Täst", Data: []byte(c.data), Metadata: []byte(`{"k":"v"}`)}
		b.must(stream, esdb.NoStream{}, []esdb.EventData{e})
		got := b.whole(stream)[0]
		if got.EventID != e.EventID || got.EventType != e.EventType || got.StreamID != stream || string(got.Data) != c.data ||
			string(got.UserMetadata) != `{"k":"v"}` || got.ContentType != c.contentType {
			t.Errorf("%q came back as %+v", c.data, got)
		}
		stored, err := b.store.Head(t.Context())
		if err != nil || got.Position.Commit != uint64(stored) || got.Position.Prepare != uint64(stored) {
			t.Errorf("position %v, want %d", got.Position, stored)
		}
		for r, err := range b.store.ReadStream(t.Context(), stream, 0, eventstore.Forwards, 1) {
			if err != nil || !r.RecordedAt.Equal(got.CreatedDate) {
				t.Errorf("created %v, want %v", got.CreatedDate, r.RecordedAt)
			}
		}
	}
}

// append sends messages as they are.
func (b *bed) append(messages ...*api.AppendReq) (*api.AppendResp, metadata.MD, error) {
	b.Helper()
	var trailer metadata.MD
	call, err := b.raw.Append(b.ctx, grpc.Trailer(&trailer))
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range messages {
		if err := call.Send(m); err != nil {
			break // the answer says why
		}
	}
	resp, err := call.CloseAndRecv()
	return resp, trailer, err
}

func options(stream string) *api.AppendReq {
	return &api.AppendReq{Content: &api.AppendReq_Options_{Options: &api.AppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
		ExpectedStreamRevision: &api.AppendReq_Options_Any{Any: &shared.Empty{}},
	}}}
}

func proposed(change func(*api.AppendReq_ProposedMessage)) *api.AppendReq {
	m := &api.AppendReq_ProposedMessage{
		Id:       &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}},
		Metadata: map[string]string{"type": "Happened", "content-type": "application/json"},
		Data:     []byte(`{}`),
	}
	if change != nil {
		change(m)
	}
	return &api.AppendReq{Content: &api.AppendReq_ProposedMessage_{ProposedMessage: m}}
}

func (b *bed) refuses(what string, err error, trailer metadata.MD, code codes.Code, trailers ...string) {
	b.Helper()
	if status.Code(err) != code {
		b.Errorf("%s: %v, want %v", what, err, code)
	}
	for i := 0; i < len(trailers); i += 2 {
		if got := trailer.Get(trailers[i]); len(got) != 1 || got[0] != trailers[i+1] {
			b.Errorf("%s: trailer %s is %v, want %s", what, trailers[i], got, trailers[i+1])
		}
	}
}

func TestIdsMayBeText(t *testing.T) {
	b := serve(t)
	id := uuid.New()
	resp, _, err := b.append(options("a"), proposed(func(m *api.AppendReq_ProposedMessage) {
		m.Id = &shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}
	}))
	if err != nil || resp.GetSuccess().GetCurrentRevision() != 0 {
		t.Fatalf("%v, %v", resp, err)
	}
	if got := b.whole("a")[0].EventID; got != id {
		t.Errorf("id %v, want %v", got, id)
	}
}

func TestAWrongRevisionIsToldToOldClientsToo(t *testing.T) {
	b := serve(t)
	first := options("a")
	first.GetOptions().ExpectedStreamRevision = &api.AppendReq_Options_Revision{Revision: 4}
	resp, _, err := b.append(first, proposed(nil))
	if err != nil {
		t.Fatal(err)
	}
	w := resp.GetWrongExpectedVersion()
	if w.GetExpectedRevision() != 4 || w.GetExpectedRevision_20_6_0() != 4 || w.GetCurrentNoStream() == nil || w.GetNoStream_20_6_0() == nil {
		t.Errorf("%v", w)
	}
	b.must("a", esdb.NoStream{}, news(2))
	resp, _, err = b.append(first, proposed(nil))
	if w = resp.GetWrongExpectedVersion(); err != nil || w.GetCurrentRevision() != 1 || w.GetCurrentRevision_20_6_0() != 1 {
		t.Errorf("%v, %v", w, err)
	}
}

func TestSenselessAppendsAreRefused(t *testing.T) {
	b := serve(t)
	unexpected, tooFar := options("a"), options("a")
	unexpected.GetOptions().ExpectedStreamRevision = nil
	tooFar.GetOptions().ExpectedStreamRevision = &api.AppendReq_Options_Revision{Revision: 1 << 63}
	without := func(property string) *api.AppendReq {
		return proposed(func(m *api.AppendReq_ProposedMessage) { delete(m.Metadata, property) })
	}
	for what, messages := range map[string][]*api.AppendReq{
		"nothing":             nil,
		"no options":          {proposed(nil)},
		"options twice":       {options("a"), options("a")},
		"no stream":           {options(""), proposed(nil)},
		"no expectation":      {unexpected, proposed(nil)},
		"a senseless one":     {tooFar, proposed(nil)},
		"no event":            {options("a")},
		"a name that is long": {options(strings.Repeat("n", 257)), proposed(nil)},
		"a name of no text":   {options("a\xff"), proposed(nil)},
		"no id":               {options("a"), proposed(func(m *api.AppendReq_ProposedMessage) { m.Id = nil })},
		"an id that is none": {options("a"), proposed(func(m *api.AppendReq_ProposedMessage) {
			m.Id = &shared.UUID{Value: &shared.UUID_String_{String_: "1"}}
		})},
		"an empty type": {options("a"), proposed(func(m *api.AppendReq_ProposedMessage) { m.Metadata["type"] = "" })},
		"a long type":   {options("a"), proposed(func(m *api.AppendReq_ProposedMessage) { m.Metadata["type"] = strings.Repeat("T", 1<<20) })},
	} {
		_, trailer, err := b.append(messages...)
		b.refuses(what, err, trailer, codes.InvalidArgument)
	}
	for _, property := range []string{"type", "content-type"} {
		_, trailer, err := b.append(options("a"), without(property))
		b.refuses("without "+property, err, trailer, codes.InvalidArgument,
			"exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type")
	}
	_, trailer, err := b.append(options("$a"), proposed(nil))
	b.refuses("a stream of the store's own", err, trailer, codes.PermissionDenied, "exception", "access-denied")
	b.says("a stream of the store's own", err, "names that begin with $ are the store's own")
	_, err = b.client.SetStreamMetadata(t.Context(), "a", esdb.AppendToStreamOptions{}, esdb.StreamMetadata{})
	b.failsWith("metadata of a stream", err, esdb.ErrorCodeAccessDenied)
	if head, err := b.store.Head(t.Context()); err != nil || head != 0 {
		t.Errorf("the log goes to %d (%v)", head, err)
	}
}

func TestAppendsThatAreTooLargeAreRefused(t *testing.T) {
	b := serve(t)
	sized := func(n int) *api.AppendReq {
		return proposed(func(m *api.AppendReq_ProposedMessage) { m.Data = make([]byte, n) })
	}
	_, trailer, err := b.append(options("a"), sized(eventstore.MaxEventBytes+1))
	b.refuses("an event", err, trailer, codes.InvalidArgument, "exception", "maximum-append-event-size-exceeded",
		"maximum-append-event-size", "1048576", "proposed-append-event-size", "1048577")
	many := []*api.AppendReq{options("a")}
	for range 20 {
		many = append(many, sized(eventstore.MaxEventBytes))
	}
	_, trailer, err = b.append(many...)
	b.refuses("an append", err, trailer, codes.InvalidArgument, "exception", "maximum-append-size-exceeded", "maximum-append-size", "8388608")
	_, _, err = b.append(many[:9]...)
	if err != nil {
		t.Errorf("an append of the greatest size: %v", err)
	}
	countless := append([]*api.AppendReq{options("a")}, slices.Repeat([]*api.AppendReq{sized(0)}, 66_000)...)
	_, trailer, err = b.append(countless...)
	b.refuses("countless events", err, trailer, codes.InvalidArgument, "exception", "maximum-append-size-exceeded")
	if _, err := b.client.AppendToStream(t.Context(), "a", esdb.AppendToStreamOptions{}, esdb.EventData{
		EventType: "Happened", Data: make([]byte, eventstore.MaxEventBytes+1),
	}); err == nil || errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("the client's answer: %v", err)
	}
}

func TestEventsAreAdmittedBeforeTheStoreHasThem(t *testing.T) {
	var asked []string
	b := serve(t, func(c *wireConfig) {
		c.Admit = func(stream string, e *eventstore.Event) error {
			asked = append(asked, fmt.Sprintf("%s %s %s", stream, e.Type, e.Data))
			if e.Type == "Unreadable" {
				return errors.New("100% unreadable")
			}
			return nil
		}
	})
	typed := func(eventType string) *api.AppendReq {
		return proposed(func(m *api.AppendReq_ProposedMessage) { m.Metadata["type"] = eventType })
	}
	if _, _, err := b.append(options("a"), typed("A"), typed("B")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a A {}", "a B {}"}; !slices.Equal(asked, want) {
		t.Errorf("asked about %q, want %q", asked, want)
	}
	_, trailer, err := b.append(options("a"), typed("A"), typed("Unreadable"), typed("B"))
	b.refuses("an append", err, trailer, codes.InvalidArgument)
	b.says("an append", err, "100% unreadable")
	b.same("the stream", revisions(b.whole("a")), counted(0, 1))
	b.mustDelete("a", esdb.Any{}) // which it is not asked about
	if len(asked) != 4 {
		t.Errorf("asked %d times, want 4", len(asked))
	}
}
