package simulation

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// serverEvent is one event of a text/event-stream.
type serverEvent struct {
	id    string // of the last event that had one
	event string // "message" when the stream does not say
	data  []byte // lines joined by \n; valid until the next event is read
}

// eventStream reads events from a stream whose lines end in \n or \r\n.
type eventStream struct {
	r     *bufio.Reader
	id    string
	first bool
	line  []byte
	data  []byte
}

// maxEventLine bounds a line of a stream, in bytes.
const maxEventLine = 4 << 20

var errLineTooLong = errors.New("a line of the event stream is too long")

// newEventStream reads events that come after the one with that id, which counts until the stream names another.
func newEventStream(r io.Reader, lastID string) *eventStream {
	return &eventStream{r: bufio.NewReaderSize(r, 4<<10), id: lastID, first: true}
}

// next returns the next event. What stands at the end of the stream without an empty line after it is no event.
func (s *eventStream) next() (serverEvent, error) {
	s.data = s.data[:0]
	id, name, filled := s.id, "", false
	for {
		line, err := s.readLine()
		if err != nil {
			return serverEvent{}, err
		}
		if len(line) == 0 {
			s.id = id // an event without data counts too: where to go on from
			if !filled {
				name = ""
				continue
			}
			if name == "" {
				name = "message"
			}
			return serverEvent{id: id, event: name, data: bytes.TrimSuffix(s.data, []byte("\n"))}, nil
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) { // a comment has an empty name
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				id = string(value)
			}
		case "event":
			name = string(value)
		case "data":
			s.data = append(append(s.data, value...), '\n')
			filled = true
		}
	}
}

func (s *eventStream) readLine() ([]byte, error) {
	s.line = s.line[:0]
	for {
		part, err := s.r.ReadSlice('\n')
		if len(s.line)+len(part) > maxEventLine {
			return nil, errLineTooLong
		}
		s.line = append(s.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	line := bytes.TrimSuffix(bytes.TrimSuffix(s.line, []byte("\n")), []byte("\r"))
	if s.first {
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		s.first = false
	}
	return line, nil
}
