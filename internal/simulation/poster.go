package simulation

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/google/uuid"
)

// poster posts messages over one kept HTTP/1.1 connection (RFC 9112) with as little work as it can: a load generator
// shares the machine with the server, and what it costs is taken from what it measures. It knows answers with a length
// and nothing else, and tries nothing again.
type poster struct {
	conn    net.Conn
	in      *bufio.Reader
	head    []byte // of every request, up to the key
	request []byte
}

// newPoster connects to post messages of a session with a token.
func newPoster(ctx context.Context, base *url.URL, sessionID, token string) (*poster, error) {
	if base.Scheme != "http" {
		return nil, errors.New("load can be put on plain HTTP only")
	}
	host := base.Host
	if base.Port() == "" {
		host = net.JoinHostPort(base.Hostname(), "80")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("POST %s/v1/sessions/%s/messages HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nIdempotency-Key: ", base.Path, sessionID, base.Host, token)
	return &poster{conn: conn, in: bufio.NewReader(conn), head: []byte(head)}, nil
}

func (p *poster) close() { _ = p.conn.Close() }

// post sends one public message, whose text is given as JSON, and waits until it is acknowledged.
func (p *poster) post(literal []byte) error {
	key := uuid.New()
	b := append(p.request[:0], p.head...)
	b = append(b, key.String()...)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(publicHead)+len(literal)+1), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(append(append(b, publicHead...), literal...), '}')
	p.request = b
	if _, err := p.conn.Write(b); err != nil {
		return unreachable(err)
	}
	status, length, err := p.answer()
	if err != nil {
		return unreachable(err)
	}
	if _, err := p.in.Discard(length); err != nil {
		return unreachable(err)
	}
	if status != 201 {
		return &Refusal{Status: status, Code: "http_" + strconv.Itoa(status)}
	}
	return nil
}

// answer reads the head of an answer.
func (p *poster) answer() (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := p.in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if first {
			_, rest, _ := bytes.Cut(line, []byte(" "))
			status, err = strconv.Atoi(string(rest[:min(3, len(rest))]))
		} else if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		if err != nil {
			return 0, 0, fmt.Errorf("an answer that is not HTTP: %w", err)
		}
	}
	if length < 0 {
		return 0, 0, errors.New("an answer without a length")
	}
	return status, length, nil
}
