package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func line(seq int, eventType, text string) string {
	return fmt.Sprintf("id: cursor-%d\nevent: %s\ndata: {\"seq\":%d,\"type\":%q,\"visibility\":\"public\",\"text\":%q}\n\n",
		seq, eventType, seq, eventType, text)
}

// pieces hands out one stream after the other, and notes from where each was asked for. A nil piece is a refused connection.
type pieces struct {
	streams []io.Reader
	errs    []error
	asked   []string
}

func (p *pieces) open(_ context.Context, lastID string) (io.ReadCloser, error) {
	i := len(p.asked)
	p.asked = append(p.asked, lastID)
	if i < len(p.errs) && p.errs[i] != nil {
		return nil, p.errs[i]
	}
	return io.NopCloser(p.streams[i]), nil
}

func following(p *pieces, want ...string) (*listener, *atomic.Int64) {
	resumed := &atomic.Int64{}
	t := &tracker{ackToLive: &histogram{}, want: func(i int) (string, bool) {
		if i >= len(want) {
			return "", false
		}
		return want[i], true
	}}
	return &listener{open: p.open, tracker: t, resumed: resumed}, resumed
}

func TestLiveStreamIsTakenUpWhereItBroke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &Refusal{Status: 503, Code: "unavailable"}
		p := &pieces{
			streams: []io.Reader{
				strings.NewReader(line(1, "SessionRequested", "?") + line(2, "PublicMessageSent", "one")),
				nil, nil,
				strings.NewReader(line(3, "PublicMessageSent", "two") + "id: cursor-4\ndata: {\"seq\":4"), // cut off in an entry
				strings.NewReader(line(4, "PublicMessageSent", "three") + line(5, "SessionConcluded", "")),
			},
			errs: []error{nil, io.ErrUnexpectedEOF, refused, nil, nil},
		}
		l, resumed := following(p, "one", "two", "three")
		l.start(t.Context())
		if !l.wait(t.Context(), time.Second) {
			t.Error("not connected")
		}
		if problems := l.finish(t.Context(), 3, time.Minute); len(problems) > 0 {
			t.Error(problems)
		}
		if diff := cmp.Diff([]string{"", "cursor-2", "cursor-2", "cursor-2", "cursor-3"}, p.asked); diff != "" {
			t.Error(diff)
		}
		if n := resumed.Load(); n != 2 {
			t.Errorf("taken up again %d times, want 2", n)
		}
	})
}

func TestLiveStreamThatIsRefusedIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pieces{errs: []error{&Refusal{Status: 403, Code: "not_permitted"}}}
		l, _ := following(p)
		l.start(t.Context())
		if l.wait(t.Context(), time.Minute) {
			t.Error("connected")
		}
		want := []string{"the live stream was refused: not_permitted", "the end of the session did not arrive"}
		if diff := cmp.Diff(want, l.finish(t.Context(), 0, time.Minute)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLiveStreamThatNeverEndsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, writer := io.Pipe()
		context.AfterFunc(t.Context(), func() { _ = writer.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l, _ := following(nil, "one", "two")
		l.open = func(ctx context.Context, _ string) (io.ReadCloser, error) {
			context.AfterFunc(ctx, func() { _ = stream.CloseWithError(ctx.Err()) })
			return stream, nil
		}
		l.start(ctx)
		go func() { _, _ = io.WriteString(writer, line(1, "PublicMessageSent", "one")) }()
		began := time.Now()
		want := []string{"1 messages arrived of 2", "the end of the session did not arrive"}
		if diff := cmp.Diff(want, l.finish(ctx, 2, 10*time.Second)); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestWhatIsWrongOnALiveStreamIsFound(t *testing.T) {
	message := func(seq uint64, text string) entry { return entry{Seq: seq, Type: publicMessageSent, Text: text} }
	end := func(seq uint64) entry { return entry{Seq: seq, Type: sessionConcluded, Visibility: "public"} }
	for name, c := range map[string]struct {
		entries []entry
		want    []string
	}{
		"nothing":             {[]entry{message(1, "one"), message(2, "two"), end(3)}, nil},
		"begun late":          {[]entry{message(7, "one"), message(8, "two"), end(9)}, nil},
		"a repeat":            {[]entry{message(1, "one"), message(1, "one"), message(2, "two"), end(3)}, []string{"entry 1 follows entry 1", "message 2 is not the one that was sent", "there is a message 3, which was not sent", "3 messages arrived of 2"}},
		"a gap":               {[]entry{message(1, "one"), message(3, "two"), end(4)}, []string{"entry 3 follows entry 1"}},
		"the wrong order":     {[]entry{message(1, "two"), message(2, "one"), end(3)}, []string{"message 1 is not the one that was sent", "message 2 is not the one that was sent"}},
		"one is missing":      {[]entry{message(1, "one"), end(2)}, []string{"1 messages arrived of 2"}},
		"no end":              {[]entry{message(1, "one"), message(2, "two")}, []string{"the end of the session did not arrive"}},
		"something private":   {[]entry{message(1, "one"), {Seq: 2, Type: "PrivateMessageSent", Visibility: "private"}, message(3, "two"), end(4)}, []string{"entry 2 (PrivateMessageSent) is not for customers"}},
		"a private one named": {[]entry{message(1, "one"), {Seq: 2, Type: publicMessageSent, Visibility: "private", Text: "two"}, end(3)}, []string{"entry 2 (PublicMessageSent) is not for customers"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := following(nil, "one", "two")
			for _, e := range c.entries {
				l.tracker.arrived(e, time.Time{})
			}
			if diff := cmp.Diff(c.want, l.tracker.verdict(2)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAckToLiveIsMeasuredWhicheverComesFirst(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	l, _ := following(nil, "one", "two", "three")
	message := func(seq uint64, text string) entry { return entry{Seq: seq, Type: publicMessageSent, Text: text} }
	l.tracker.arrived(message(1, "one"), at(10))
	l.tracker.acked(at(12)) // arrived before it was acknowledged
	l.tracker.acked(at(20))
	l.tracker.arrived(message(2, "two"), at(25))
	l.tracker.acked(at(30))
	if got := l.tracker.ackToLive.latency(); got.Count != 2 || got.P50 != 0 || got.Max != 5000 {
		t.Errorf("%+v", got)
	}
}

func TestStreamsOfAnotherTypeAreNotRead(t *testing.T) {
	for kind, want := range map[string]bool{
		"text/event-stream": true, "text/event-stream; charset=utf-8": true, "application/json": false, "": false,
	} {
		if isEventStream(kind) != want {
			t.Errorf("%q", kind)
		}
	}
	if errors.Is(errLive, errUnreachable) {
		t.Error("the two must be told apart")
	}
}
