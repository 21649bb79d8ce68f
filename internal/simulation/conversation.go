package simulation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/chatwatch/chatwatch/domain"
)

// Roles of a turn.
const (
	customerTurn = "customer"
	agentTurn    = "agent"
)

// Conversation is one to play: its turns become the public messages of a session in its queue.
type Conversation struct {
	ID    string
	Queue string
	Turns []Turn
}

// Turn is one message. Role is customer or agent.
type Turn struct {
	Role string
	Text string
	// literal is the text as JSON, as it stood in the file; nil when it came from elsewhere.
	literal []byte
}

// encoded is the text as a JSON string.
func (t Turn) encoded() []byte {
	if t.literal != nil {
		return t.literal
	}
	literal, err := json.Marshal(t.Text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return literal
}

// LineError is a line that holds no conversation. It is left out as a whole.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// maxLine bounds a line of the file, in bytes.
const maxLine = 64 << 20

// ReadConversations reads one conversation a line, at most limit of them (0 for all). Lines that hold none are returned
// beside those that do; the error is for reading itself. Empty lines count for nothing.
func ReadConversations(r io.Reader, limit int) ([]Conversation, []*LineError, error) {
	var conversations []Conversation
	var bad []*LineError
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	seen := map[string]int{}
	number := 0
	for lines.Scan() {
		number++
		line := lines.Bytes()
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\uFEFF"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		c, err := decodeConversation(line)
		if first, again := seen[c.ID]; err == nil && again {
			err = fmt.Errorf("the id stands in line %d already", first)
		}
		if err != nil {
			bad = append(bad, &LineError{Line: number, Err: err})
			continue
		}
		seen[c.ID] = number
		conversations = append(conversations, c)
		if limit > 0 && len(conversations) == limit {
			return conversations, bad, nil
		}
	}
	if err := lines.Err(); err != nil {
		return conversations, bad, &LineError{Line: number + 1, Err: err}
	}
	return conversations, bad, nil
}

// conversations of the configuration, from wherever they are to come.
func (c Config) conversations() ([]Conversation, []*LineError, error) {
	if c.Conversations != nil {
		if c.Limit > 0 && len(c.Conversations) > c.Limit {
			return c.Conversations[:c.Limit], nil, nil
		}
		return c.Conversations, nil, nil
	}
	conversations, bad, err := readFile(c.File, c.Limit)
	switch {
	case err != nil:
		return nil, nil, err
	case len(conversations) == 0 && len(bad) > 0:
		return nil, bad, fmt.Errorf("%s holds no conversation: %w", c.File, bad[0])
	case len(conversations) == 0:
		return nil, nil, fmt.Errorf("%s holds no conversation", c.File)
	}
	return conversations, bad, nil
}

// ReadFile reads all conversations of a file. The error names every line that holds none, beside those that do.
func ReadFile(file string) ([]Conversation, error) {
	conversations, bad, err := readFile(file, 0)
	for _, b := range bad {
		err = errors.Join(err, fmt.Errorf("%s: %w", file, b))
	}
	return conversations, err
}

func readFile(file string, limit int) ([]Conversation, []*LineError, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("open the conversations: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	conversations, bad, err := ReadConversations(f, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", file, err)
	}
	return conversations, bad, nil
}

func decodeConversation(line []byte) (Conversation, error) {
	if !utf8.Valid(line) {
		return Conversation{}, errors.New("not valid UTF-8")
	}
	var raw struct {
		ID    string            `json:"id"`
		Queue string            `json:"queue"`
		Turns []json.RawMessage `json:"turns"`
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return Conversation{}, errors.New(describeJSON(err))
	}
	switch {
	case raw.ID == "":
		return Conversation{}, errors.New("the id is missing")
	case slug(raw.Queue) == "":
		return Conversation{}, errors.New("the queue is missing, or no id can be made of its name")
	case len(raw.Turns) == 0:
		return Conversation{}, errors.New("there are no turns")
	}
	c := Conversation{ID: raw.ID, Queue: raw.Queue, Turns: make([]Turn, len(raw.Turns))}
	for i, r := range raw.Turns {
		turn, err := decodeTurn(r)
		if err != nil {
			return Conversation{}, fmt.Errorf("turn %d: %w", i+1, err)
		}
		c.Turns[i] = turn
	}
	return c, nil
}

func decodeTurn(raw json.RawMessage) (Turn, error) {
	var pair []json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
		return Turn{}, errors.New("not a pair of role and text")
	}
	var t Turn
	if err := json.Unmarshal(pair[0], &t.Role); err != nil || t.Role != customerTurn && t.Role != agentTurn {
		return Turn{}, errors.New("the role must be customer or agent")
	}
	if err := json.Unmarshal(pair[1], &t.Text); err != nil {
		return Turn{}, errors.New("the text is not a string")
	}
	if halfSurrogate(pair[1]) {
		return Turn{}, errors.New("the text holds half a surrogate pair, which no UTF-8 text can")
	}
	if err := domain.CheckText("text", t.Text, domain.MaxText); err != nil {
		return Turn{}, err
	}
	t.literal = bytes.Clone(pair[1])
	return t, nil
}

// describeJSON says where JSON is broken, without quoting it.
func describeJSON(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("not a JSON object (broken at byte %d)", syntax.Offset)
	}
	if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && field.Field != "" {
		return fmt.Sprintf("%s has the wrong type", field.Field)
	}
	return "not a JSON object"
}

// halfSurrogate tells whether a valid JSON string escapes one half of a surrogate pair without the other. Decoding
// replaces it, so the text could not be posted as it is.
func halfSurrogate(literal []byte) bool {
	for i := 0; i < len(literal); i++ {
		if literal[i] != '\\' {
			continue
		}
		i++
		if literal[i] != 'u' {
			continue
		}
		switch half := escapeAt(literal, i-1); {
		case half >= 0xDC00 && half < 0xE000:
			return true
		case half >= 0xD800 && half < 0xDC00:
			if low := escapeAt(literal, i+5); low < 0xDC00 || low >= 0xE000 {
				return true
			}
			i += 6
		}
		i += 4
	}
	return false
}

// escapeAt is the number of the escape (\u and four digits) at i, or -1 when there is none.
func escapeAt(literal []byte, i int) int {
	if i+6 > len(literal) || literal[i] != '\\' || literal[i+1] != 'u' {
		return -1
	}
	var n int
	if _, err := fmt.Sscanf(string(literal[i+2:i+6]), "%04x", &n); err != nil {
		return -1
	}
	return n
}

// slug is the id of a queue of that name: [a-z0-9][a-z0-9._-]{0,63}, or empty when nothing of the name is left.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			b.WriteRune(r)
		default:
			b.WriteByte('-')
		}
	}
	id := strings.TrimLeft(b.String(), "._-")
	return strings.TrimRight(id[:min(len(id), domain.MaxIDLength)], "-")
}
