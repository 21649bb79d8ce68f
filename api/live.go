package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/auth"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/live"
)

// writeTimeout bounds how long a caller may take to receive what is written at once.
const writeTimeout = 20 * time.Second

// getLive streams the caller's transcript as it grows.
func getLive(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	v, now, err := c.readable()
	if err != nil {
		return nil, err
	}
	s := &transcriptStream{
		call: c, view: v, opened: now.Revision, cursors: c.Seals.Series("live", string(v.ID)), from: -1,
	}
	if s.from, err = s.resume(); err != nil {
		return nil, err
	}
	if s.redacted, err = c.redactions(v.ID); err != nil {
		return nil, err
	}
	if err := c.recordView(v, access.OfLive, access.SSE); err != nil {
		return nil, err
	}
	s.follower = c.Hub.Follow(v.ID)
	defer s.follower.Close()
	events, err := c.openEvents()
	if err != nil {
		return nil, err
	}
	return nil, s.run(events)
}

// transcriptStream is one open live transcript.
type transcriptStream struct {
	*call
	view
	follower *live.Follower
	cursors  auth.Series
	opened   int64 // revision at which the caller's right was checked
	from     int64 // revision up to which they have everything
	redacted map[int64]bool
	present  session.State // as of what has been taken
}

// resume is the revision of the caller's cursor: of the header that a browser sends by itself, or of the query.
func (s *transcriptStream) resume() (int64, error) {
	cursor := s.http.Header.Get("Last-Event-ID")
	if cursor == "" {
		cursor = s.query("after")
	}
	if cursor == "" {
		return -1, nil
	}
	revision, err := s.cursors.Open(cursor)
	if err != nil || revision > 1<<62 {
		return 0, invalid("the cursor is not one that was given out for this stream")
	}
	return int64(revision), nil
}

// run goes on until the session is over, the right is lost, the caller goes away or the server stops.
func (s *transcriptStream) run(out *events) error {
	beat := time.NewTicker(s.Limits.Heartbeat)
	defer beat.Stop()
	expiry := time.NewTimer(s.who.Expires.Sub(s.Clock()))
	defer expiry.Stop()
	for {
		select {
		case <-s.follower.Ready():
			steps, err := s.follower.Take(s.ctx())
			if err != nil {
				return s.gone(err)
			}
			if over, err := s.deliver(out, steps); over || err != nil {
				return s.gone(err)
			}
		case <-beat.C:
			if !s.stillGranted() {
				return nil
			}
			out.comment()
			if err := out.flush(); err != nil {
				return nil
			}
		case <-expiry.C:
			return nil
		case <-s.stopping:
			return nil
		case <-s.follower.Ended():
			return nil
		case <-s.ctx().Done():
			return nil
		}
	}
}

// gone tells apart a caller who has left, which is no failure, from one.
func (s *transcriptStream) gone(err error) error {
	if err == nil || s.ctx().Err() != nil || errors.Is(err, errCallerGone) || errors.Is(err, eventstore.ErrClosed) {
		return nil
	}
	return err
}

// deliver writes what the reader sees of some events. It tells whether that was all there ever is for them.
func (s *transcriptStream) deliver(out *events, steps []*live.Step) (over bool, err error) {
	if over, err = s.write(out, steps); err != nil {
		return true, err
	}
	if !over && s.ended() {
		// The ending events were appended together: whatever the hub has handed over by now, the log holds them all.
		rest, err := s.follower.Read(s.ctx())
		if err != nil {
			return true, err
		}
		if _, err := s.write(out, rest); err != nil {
			return true, err
		}
		over = s.ended()
	}
	return over, out.flush()
}

func (s *transcriptStream) write(out *events, steps []*live.Step) (over bool, err error) {
	for _, step := range steps {
		event, known := step.Event.(session.Event)
		if !known {
			continue
		}
		s.present = session.Evolve(s.present, event)
		if int64(step.Revision) > s.from && s.reader.Sees(event) {
			if err := s.entry(out, step, event); err != nil {
				return true, err
			}
		}
		if int64(step.Revision) > s.opened && s.lost() {
			return true, nil
		}
	}
	return false, nil
}

func (s *transcriptStream) entry(out *events, step *live.Step, event session.Event) error {
	seq := s.present.Seen(s.reader)
	render := func() ([]byte, error) {
		e := showEntry(step.Envelope, event, s.reader, seq)
		if s.redacted[int64(step.Revision)] {
			e.Text = ""
		}
		return encodeEntry(e)
	}
	var data []byte
	var err error
	if s.redacted[int64(step.Revision)] {
		data, err = render()
	} else {
		data, err = step.Render(live.Rendering{Audience: uint8(s.reader.As), Seq: seq}, render)
	}
	if err != nil {
		return err
	}
	out.event(s.cursors.Seal(step.Revision), step.Type, data)
	return nil
}

// lost tells whether the event just taken has ended the caller's right to go on, or made them another reader.
func (s *transcriptStream) lost() bool {
	if !s.is(domain.RoleStaff) || s.present.Phase.Ended() {
		return false
	}
	if s.present.MayRead(s.standing) != nil || s.present.ReaderFor(s.standing) != s.State.ReaderFor(s.standing) {
		return true
	}
	return s.reader.As == session.ToAgent && s.reader.StaffID != s.standing.ID && s.present.Agent.ID != s.State.Agent.ID
}

// ended tells whether the session is over for this reader: for those who work on it when its work is done, for the
// customer and the watchers when the conversation is.
func (s *transcriptStream) ended() bool {
	if s.reader.As == session.ToCustomer || s.is(domain.RoleStaff) && s.reader.As == session.ToSupervisor {
		return s.present.Phase.Ended()
	}
	return s.present.Phase.Ended() && s.present.Phase != session.WrapUp
}

// stillGranted looks at the caller's account again, which may have changed without an event of the session.
func (s *transcriptStream) stillGranted() bool {
	if !s.is(domain.RoleStaff) {
		return true
	}
	standing, err := s.Service.Standing(s.ctx(), s.actor())
	if err != nil {
		return false
	}
	s.standing = standing
	return int64(s.present.Seen(session.Reader{As: session.ToAuditor}))-1 < s.opened || s.present.MayRead(standing) == nil
}

// redactions finds the messages whose text has been taken out, by revision.
func (c *call) redactions(id domain.SessionID) (map[int64]bool, error) {
	var out map[int64]bool
	wanted := eventcodec.NameOf(session.MessageRedacted{})
	for recorded, err := range c.Store.ReadStream(c.ctx(), command.SessionStream(id), 0, eventstore.Forwards, 0) {
		if err != nil {
			return nil, fmt.Errorf("find redactions: %w", err)
		}
		if recorded.Type != wanted {
			continue
		}
		envelope, err := eventcodec.Decode(recorded)
		if err != nil {
			return nil, fmt.Errorf("find redactions: %w", err)
		}
		if out == nil {
			out = map[int64]bool{}
		}
		out[int64(envelope.Event.(session.MessageRedacted).Revision)] = true
	}
	return out, nil
}

// errCallerGone says that nobody receives the stream any more.
var errCallerGone = errors.New("api: the caller is gone")

// events writes Server-Sent Events.
type events struct {
	buffer  bytes.Buffer
	out     http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context
}

// openEvents begins the answer.
func (c *call) openEvents() (*events, error) {
	h := c.out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	e := &events{out: c.out, control: http.NewResponseController(c.out), ctx: c.ctx()}
	_ = e.control.SetReadDeadline(time.Time{}) // not every server has one
	c.out.WriteHeader(http.StatusOK)
	e.comment()
	if err := e.flush(); err != nil && !errors.Is(err, errCallerGone) {
		return nil, err
	}
	return e, nil
}

func (e *events) event(id, name string, data []byte) {
	b := &e.buffer
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("event: " + name + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
}

func (e *events) comment() { e.buffer.WriteString(":\n\n") }

// flush sends what has been written, in one go.
func (e *events) flush() error {
	if e.buffer.Len() == 0 {
		return nil
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := e.out.Write(e.buffer.Bytes())
	e.buffer.Reset()
	if err == nil {
		err = e.control.Flush()
	}
	if err != nil {
		return errCallerGone
	}
	return nil
}
