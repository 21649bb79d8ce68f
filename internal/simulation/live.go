package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Wire names of the event types that the simulation looks at.
const (
	publicMessageSent = "PublicMessageSent"
	sessionConcluded  = "SessionConcluded"
	sessionAbandoned  = "SessionAbandoned"
)

// entry of a transcript, as it stands in a page or comes on a live stream.
type entry struct {
	Seq        uint64 `json:"seq"`
	Type       string `json:"type"`
	Visibility string `json:"visibility"`
	Sender     *struct {
		Role string `json:"role"`
	} `json:"sender"`
	Text string `json:"text"`
}

// listener follows the customer's live stream of a session to its end, through every loss of the connection.
type listener struct {
	// open asks for the stream from after the event with that id, or from the start when it is empty.
	open    func(ctx context.Context, lastID string) (io.ReadCloser, error)
	tracker *tracker
	resumed *atomic.Int64 // how often the connection was lost and taken up again

	connected chan struct{} // closed when the stream is open for the first time
	done      chan struct{} // closed when there is nothing more to come
	cancel    context.CancelFunc
}

// listen begins to follow a session.
func (c *client) listen(ctx context.Context, sessionID, token string, t *tracker) *listener {
	l := &listener{tracker: t, resumed: &c.stats.resumed}
	l.open = func(ctx context.Context, lastID string) (io.ReadCloser, error) {
		return c.openLive(ctx, "/sessions/"+sessionID+"/live", token, lastID)
	}
	c.stats.listened.Add(1)
	l.start(ctx)
	return l
}

func (l *listener) start(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	l.connected, l.done = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(l.done)
		l.follow(ctx)
	}()
}

// wait gives the stream a time to open, and tells whether it did.
func (l *listener) wait(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.connected:
	case <-l.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-l.connected: // what opened and ended at once did open
		return true
	default:
		return false
	}
}

// finish gives what was sent a time to arrive, and returns what is wrong with the stream after so many public messages.
func (l *listener) finish(ctx context.Context, messages int, limit time.Duration) []string {
	defer l.stop()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	return l.tracker.verdict(messages)
}

// stop ends the listening and waits until it has ended.
func (l *listener) stop() {
	l.cancel()
	<-l.done
}

func (l *listener) follow(ctx context.Context) {
	lastID, opened := "", false
	for attempt := 0; ctx.Err() == nil; attempt++ {
		stream, err := l.open(ctx, lastID)
		if err == nil {
			if !opened {
				opened = true
				close(l.connected)
			} else {
				l.resumed.Add(1)
			}
			var id string
			id, err = l.read(stream, lastID)
			_ = stream.Close() // it has been read to its end, or is of no use any more
			if id != lastID {
				lastID, attempt = id, 0
			}
		}
		if l.tracker.over() || ctx.Err() != nil {
			return
		}
		if !passing(err) {
			l.tracker.wrong("the live stream was refused: " + codeOf(err))
			return
		}
		if pause(ctx, pauseBefore(attempt, err)) != nil {
			return
		}
	}
}

// read takes in events until the session is over or the stream breaks, and returns the id to go on from.
func (l *listener) read(stream io.Reader, lastID string) (string, error) {
	events := newEventStream(stream, lastID)
	for {
		e, err := events.next()
		if err != nil {
			return events.id, err
		}
		now := time.Now()
		var data entry
		if json.Unmarshal(e.data, &data) != nil {
			l.tracker.wrong("an entry on the live stream is not understood")
			continue
		}
		if data.Type == "" {
			data.Type = e.event
		}
		l.tracker.arrived(data, now)
		if l.tracker.over() {
			return events.id, nil
		}
	}
}

func (c *client) openLive(ctx context.Context, path, token, lastID string) (io.ReadCloser, error) {
	req, err := c.request(ctx, call{method: http.MethodGet, path: path, token: token}, "")
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := c.streams.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // a refusal without its body is one still
		_ = res.Body.Close()                                    // nothing more is wanted of it
		return nil, refusalOf(res, body, time.Now())
	}
	if kind := res.Header.Get("Content-Type"); !isEventStream(kind) {
		_ = res.Body.Close() // nothing is wanted of it
		return nil, &Refusal{Status: res.StatusCode, Code: "no_event_stream"}
	}
	return res.Body, nil
}

func isEventStream(contentType string) bool {
	const want = "text/event-stream"
	return len(contentType) >= len(want) && contentType[:len(want)] == want
}

// errLive stands in errors of conversations whose live stream was wrong.
var errLive = errors.New("the live stream")
