package simulation

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type readEvent struct{ ID, Event, Data string }

func readAll(r io.Reader, lastID string) ([]readEvent, string, error) {
	s := newEventStream(r, lastID)
	var all []readEvent
	for {
		e, err := s.next()
		if err != nil {
			return all, s.id, err
		}
		all = append(all, readEvent{e.id, e.event, string(e.data)})
	}
}

func TestEventsAreReadAsTheStandardSays(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   []readEvent
		lastID string
	}{
		"an event":                         {"id: 1\nevent: A\ndata: x\n\n", []readEvent{{"1", "A", "x"}}, "1"},
		"without a space":                  {"id:1\nevent:A\ndata:x\n\n", []readEvent{{"1", "A", "x"}}, "1"},
		"only one space is dropped":        {"data:  x\n\n", []readEvent{{"before", "message", " x"}}, "before"},
		"carriage returns":                 {"id: 1\r\ndata: x\r\n\r\n", []readEvent{{"1", "message", "x"}}, "1"},
		"several lines of data":            {"data: a\ndata:\ndata: b\n\n", []readEvent{{"before", "message", "a\n\nb"}}, "before"},
		"comments are heartbeats":          {": ping\n\n:\n\ndata: x\n\n", []readEvent{{"before", "message", "x"}}, "before"},
		"the id stays":                     {"id: 1\ndata: x\n\ndata: y\n\n", []readEvent{{"1", "message", "x"}, {"1", "message", "y"}}, "1"},
		"an event without data is none":    {"event: A\n\ndata: x\n\n", []readEvent{{"before", "message", "x"}}, "before"},
		"an id alone counts":               {"id: 2\n\n", nil, "2"},
		"an unfinished event is none":      {"id: 1\ndata: x\n\nid: 2\ndata: y\n", []readEvent{{"1", "message", "x"}}, "1"},
		"an id with a NUL is none":         {"id: a\x00b\ndata: x\n\n", []readEvent{{"before", "message", "x"}}, "before"},
		"unknown fields":                   {"retry: 5\nnone\ndata: x\n\n", []readEvent{{"before", "message", "x"}}, "before"},
		"a byte order mark":                {"\uFEFFdata: x\n\n", []readEvent{{"before", "message", "x"}}, "before"},
		"a line longer than the buffer":    {"data: " + strings.Repeat("x", 9000) + "\n\n", []readEvent{{"before", "message", strings.Repeat("x", 9000)}}, "before"},
		"an empty id forgets the position": {"id\ndata: x\n\n", []readEvent{{"", "message", "x"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
				got, lastID, err := readAll(r, "before")
				if !errors.Is(err, io.EOF) || lastID != c.lastID {
					t.Errorf("last id %q, want %q (%v)", lastID, c.lastID, err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestALineWithoutEndIsNotKept(t *testing.T) {
	_, _, err := readAll(io.LimitReader(endless{}, 2*maxEventLine), "")
	if !errors.Is(err, errLineTooLong) {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
