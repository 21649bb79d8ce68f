package wire_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

func TestAStreamIsReadFromAnyRevisionBothWays(t *testing.T) {
	b := serve(t)
	b.put("a", 10)
	b.put("b", 3)
	for _, c := range []struct {
		from  esdb.StreamPosition
		back  bool
		count uint64
		want  []uint64
	}{
		{esdb.Start{}, false, math.MaxUint64, counted(0, 9)},
		{esdb.Start{}, false, math.MaxInt64, counted(0, 9)},
		{esdb.Start{}, false, 4, counted(0, 3)},
		{esdb.Start{}, false, 0, nil},
		{esdb.Revision(3), false, 3, counted(3, 5)},
		{esdb.Revision(9), false, 5, counted(9, 9)},
		{esdb.Revision(10), false, 5, nil},
		{esdb.End{}, false, 5, nil},
		{esdb.End{}, true, math.MaxUint64, counted(9, 0)},
		{esdb.Revision(math.MaxUint64), true, 2, counted(9, 8)},
		{esdb.Revision(50), true, 2, counted(9, 8)},
		{esdb.Revision(3), true, math.MaxUint64, counted(3, 0)},
		{esdb.Start{}, true, 5, counted(0, 0)},
	} {
		o := esdb.ReadStreamOptions{From: c.from}
		if c.back {
			o.Direction = esdb.Backwards
		}
		got, err := b.readStream("a", o, c.count)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		b.same(fmt.Sprintf("%+v", c), revisions(got), slices.Concat([]uint64{}, c.want))
	}
}

func TestAMissingStreamIsToldInAnAnswer(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	for _, direction := range []esdb.Direction{esdb.Forwards, esdb.Backwards} {
		_, err := b.readStream("b", esdb.ReadStreamOptions{Direction: direction, From: esdb.End{}}, 1)
		b.failsWith("a missing stream", err, esdb.ErrorCodeResourceNotFound)
	}
	got := b.answers(read("b", nil))
	if len(got) != 1 || string(got[0].GetStreamNotFound().GetStreamIdentifier().GetStreamName()) != "b" {
		t.Errorf("%v", got)
	}
}

func TestTheLogIsReadInclusivelyForwardsAndExclusivelyBackwards(t *testing.T) {
	b := serve(t)
	for i := range 10 {
		b.put(fmt.Sprint("s", i%3), 1)
	}
	at := func(p uint64) esdb.AllPosition { return esdb.Position{Commit: p, Prepare: p} }
	for _, c := range []struct {
		from  esdb.AllPosition
		back  bool
		count uint64
		want  []uint64
	}{
		{esdb.Start{}, false, math.MaxUint64, counted(1, 10)},
		{esdb.Start{}, false, 3, counted(1, 3)},
		{esdb.Start{}, false, 0, nil},
		{at(0), false, 2, counted(1, 2)},
		{at(4), false, math.MaxUint64, counted(4, 10)},
		{at(4), false, 1, counted(4, 4)},
		{at(11), false, 1, nil},
		{esdb.End{}, false, 5, nil},
		{at(math.MaxUint64), false, 5, nil},
		{esdb.End{}, true, math.MaxUint64, counted(10, 1)},
		{esdb.End{}, true, 2, counted(10, 9)},
		{at(4), true, math.MaxUint64, counted(3, 1)},
		{at(1), true, math.MaxUint64, nil},
		{at(0), true, math.MaxUint64, nil},
		{at(99), true, 1, counted(10, 10)},
		{esdb.Start{}, true, 5, nil},
	} {
		o := esdb.ReadAllOptions{From: c.from}
		if c.back {
			o.Direction = esdb.Backwards
		}
		b.same(fmt.Sprintf("%+v", c), positions(b.readAll(o, c.count)), slices.Concat([]uint64{}, c.want))
	}
}

func TestWhatTheStoreKeepsForItselfIsNotInAll(t *testing.T) {
	b := serve(t)
	b.put("a", 2)
	b.put("$settings", 2)
	b.put("a", 1)
	want := []uint64{1, 2, 5}
	b.same("all", positions(b.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 3)), want)
	for what, f := range map[string]*api.ReadReq_Options_FilterOptions{
		"prefix $":   byStream("$"),
		"prefixes $": byStream("$s", "$$"),
	} {
		b.same(what, commits(b.answers(all(f))), nil)
	}
	b.same("prefixes $ and a", commits(b.answers(all(byStream("$", "a")))), want)
	b.same("any prefix", commits(b.answers(all(byStream("")))), want)
	b.same("regex", commits(b.answers(all(byStreamRegex(".*")))), want)
	b.same("types", commits(b.answers(all(byType("Happened")))), want)
}

// answers collects what the server says to a request until it ends the call.
func (b *bed) answers(req *api.ReadReq) []*api.ReadResp {
	b.Helper()
	all, _, err := b.tryAnswers(req)
	if err != nil {
		b.Fatal(err)
	}
	return all
}

func (b *bed) tryAnswers(req *api.ReadReq) (all []*api.ReadResp, trailer metadata.MD, err error) {
	b.Helper()
	call, err := b.raw.Read(b.ctx, req, grpc.Trailer(&trailer))
	if err != nil {
		b.Fatal(err)
	}
	for {
		m, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return all, trailer, nil
		}
		if err != nil {
			return all, trailer, err
		}
		all = append(all, m)
	}
}

// commits are the positions of the events among answers.
func commits(all []*api.ReadResp) (out []uint64) {
	for _, m := range all {
		if e := m.GetEvent(); e != nil {
			out = append(out, e.GetCommitPosition())
		}
	}
	return out
}

// read is a request for a stream from its start.
func read(stream string, change func(*api.ReadReq_Options)) *api.ReadReq {
	o := &api.ReadReq_Options{
		StreamOption: &api.ReadReq_Options_Stream{Stream: &api.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			RevisionOption:   &api.ReadReq_Options_StreamOptions_Start{},
		}},
		CountOption:  &api.ReadReq_Options_Count{Count: math.MaxUint64},
		FilterOption: &api.ReadReq_Options_NoFilter{},
		UuidOption:   &api.ReadReq_Options_UUIDOption{Content: &api.ReadReq_Options_UUIDOption_Structured{}},
	}
	if change != nil {
		change(o)
	}
	return &api.ReadReq{Options: o}
}

// all is a request for the log from its start.
func all(f *api.ReadReq_Options_FilterOptions) *api.ReadReq {
	return read("", func(o *api.ReadReq_Options) {
		o.StreamOption = &api.ReadReq_Options_All{All: &api.ReadReq_Options_AllOptions{AllOption: &api.ReadReq_Options_AllOptions_Start{}}}
		if f != nil {
			o.FilterOption = &api.ReadReq_Options_Filter{Filter: f}
		}
	})
}

func filter(e *api.ReadReq_Options_FilterOptions_Expression, types bool) *api.ReadReq_Options_FilterOptions {
	f := &api.ReadReq_Options_FilterOptions{
		Filter:                       &api.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: e},
		Window:                       &api.ReadReq_Options_FilterOptions_Max{Max: 32},
		CheckpointIntervalMultiplier: 1,
	}
	if types {
		f.Filter = &api.ReadReq_Options_FilterOptions_EventType{EventType: e}
	}
	return f
}

func byStream(prefixes ...string) *api.ReadReq_Options_FilterOptions {
	return filter(&api.ReadReq_Options_FilterOptions_Expression{Prefix: prefixes}, false)
}

func byStreamRegex(regex string) *api.ReadReq_Options_FilterOptions {
	return filter(&api.ReadReq_Options_FilterOptions_Expression{Regex: regex}, false)
}

func byType(prefixes ...string) *api.ReadReq_Options_FilterOptions {
	return filter(&api.ReadReq_Options_FilterOptions_Expression{Prefix: prefixes}, true)
}

func byTypeRegex(regex string) *api.ReadReq_Options_FilterOptions {
	return filter(&api.ReadReq_Options_FilterOptions_Expression{Regex: regex}, true)
}

func TestIdsAreToldAsTextToWhoAsksForIt(t *testing.T) {
	b := serve(t)
	events := news(40)
	b.must("a", esdb.NoStream{}, events)
	got := b.answers(read("a", func(o *api.ReadReq_Options) {
		o.UuidOption.Content = &api.ReadReq_Options_UUIDOption_String_{}
	}))
	for i, m := range got {
		e := m.GetEvent().GetEvent()
		if e.GetId().GetString_() != events[i].EventID.String() || e.GetCommitPosition() != uint64(i+1) ||
			e.GetPreparePosition() != e.GetCommitPosition() || m.GetEvent().GetCommitPosition() != e.GetCommitPosition() {
			t.Fatalf("event %d: %v", i, m)
		}
	}
	if len(got) != len(events) {
		t.Errorf("%d events, want %d", len(got), len(events))
	}
}

func TestFiltersSelectEventsOfTheLog(t *testing.T) {
	b := serve(t)
	for i := range 12 { // session-0 staff-0 session-1 …, types A B C
		b.put(fmt.Sprintf("%s-%d", []string{"session", "staff"}[i%2], i/2), 1, []string{"Asked", "Answered", "Closed"}[i%3])
	}
	for what, c := range map[string]struct {
		f    *api.ReadReq_Options_FilterOptions
		want []uint64
	}{
		"stream prefix":   {byStream("session-"), []uint64{1, 3, 5, 7, 9, 11}},
		"stream prefixes": {byStream("session-0", "staff-0", "staff-1"), []uint64{1, 2, 4}},
		"stream regex":    {byStreamRegex(`-[23]$`), []uint64{5, 6, 7, 8}},
		"type prefix":     {byType("A"), []uint64{1, 2, 4, 5, 7, 8, 10, 11}},
		"type prefixes":   {byType("Ask", "Clo"), []uint64{1, 3, 4, 6, 7, 9, 10, 12}},
		"type regex":      {byTypeRegex(`^[^$].*ed$`), counted(1, 12)},
		"nothing":         {byTypeRegex(`^\$`), nil},
	} {
		b.same(what, commits(b.answers(all(c.f))), c.want)
		limited := all(c.f)
		limited.Options.CountOption = &api.ReadReq_Options_Count{Count: 2}
		b.same(what+", 2 of them", commits(b.answers(limited)), c.want[:min(2, len(c.want))])
		backwards := all(c.f)
		backwards.Options.ReadDirection = api.ReadReq_Options_Backwards
		backwards.Options.GetAll().AllOption = &api.ReadReq_Options_AllOptions_Position{
			Position: &api.ReadReq_Options_Position{CommitPosition: 12, PreparePosition: 12},
		}
		var want []uint64
		for _, p := range slices.Backward(c.want) {
			if p < 12 {
				want = append(want, p)
			}
		}
		b.same(what+" backwards", commits(b.answers(backwards)), want)
	}
}

func TestSenselessReadsAreRefused(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	subscription := func(stream string) *api.ReadReq {
		return read(stream, func(o *api.ReadReq_Options) { o.CountOption = &api.ReadReq_Options_Subscription{} })
	}
	with := func(f func(*api.ReadReq_Options)) *api.ReadReq {
		req := all(byStream("a"))
		f(req.Options)
		return req
	}
	subscribed := &api.ReadReq_Options_Subscription{Subscription: &api.ReadReq_Options_SubscriptionOptions{}}
	for what, req := range map[string]*api.ReadReq{
		"no options":             {},
		"no count":               read("a", func(o *api.ReadReq_Options) { o.CountOption = nil }),
		"no stream":              read("", nil),
		"neither stream nor all": read("a", func(o *api.ReadReq_Options) { o.StreamOption = nil }),
		"no revision":            read("a", func(o *api.ReadReq_Options) { o.GetStream().RevisionOption = nil }),
		"no position":            with(func(o *api.ReadReq_Options) { o.GetAll().AllOption = nil }),
		"a filtered stream":      read("a", func(o *api.ReadReq_Options) { o.FilterOption = &api.ReadReq_Options_Filter{Filter: byStream("a")} }),
		"a filter of nothing":    with(func(o *api.ReadReq_Options) { o.GetFilter().Filter = nil }),
		"no window":              with(func(o *api.ReadReq_Options) { o.GetFilter().Window = nil }),
		"an empty expression":    all(byStream()),
		"a bad regex":            all(byTypeRegex(`^(?!\$)`)),
		"a broken regex":         all(byStreamRegex(`(`)),
		"a long regex":           all(byStreamRegex(strings.Repeat("a", 1025))),
		"long prefixes":          all(byStream(strings.Repeat("a", 16<<10))),
		"a long name":            read(strings.Repeat("n", eventstore.MaxStreamName+1), nil),
		"a name of no text":      read("a\xff", nil),
		"a long name followed":   subscription(strings.Repeat("n", eventstore.MaxStreamName+1)),
		"no text followed":       subscription("a\xff"),
		"a subscription backwards": with(func(o *api.ReadReq_Options) {
			o.CountOption, o.ReadDirection = subscribed, api.ReadReq_Options_Backwards
		}),
		"no interval": with(func(o *api.ReadReq_Options) {
			o.CountOption, o.GetFilter().CheckpointIntervalMultiplier = subscribed, 0
		}),
		"beyond the end": with(func(o *api.ReadReq_Options) {
			o.CountOption = subscribed
			o.GetAll().AllOption = &api.ReadReq_Options_AllOptions_Position{Position: &api.ReadReq_Options_Position{CommitPosition: 99}}
		}),
	} {
		got, trailer, err := b.tryAnswers(req)
		b.refuses(what, err, trailer, codes.InvalidArgument)
		if len(got) > 0 {
			t.Errorf("%s: %v", what, got)
		}
	}
}
