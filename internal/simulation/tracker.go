package simulation

import (
	"fmt"
	"sync"
	"time"
)

// tracker compares what arrives on a customer's live stream with what was sent, and measures the time from the answer
// that acknowledged a message to its arrival. Its public messages are known by their order: the first that was
// acknowledged must be the first to arrive.
type tracker struct {
	want      func(i int) (text string, ok bool) // the i-th public message of the session
	ackToLive *histogram

	mu       sync.Mutex
	acks     []time.Time
	arrivals []time.Time
	seq      uint64
	ended    bool
	problems []string
}

// maxProblems of one stream that are kept.
const maxProblems = 5

// acked notes the answer to the next public message.
func (t *tracker) acked(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acks = append(t.acks, at)
	if i := len(t.acks) - 1; i < len(t.arrivals) {
		t.ackToLive.record(t.arrivals[i].Sub(at))
	}
}

// arrived notes an entry of the stream.
func (t *tracker) arrived(e entry, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// A stream that is opened late may begin late; after that there must be no gap and no repeat.
	if t.seq != 0 && e.Seq != t.seq+1 {
		t.add(fmt.Sprintf("entry %d follows entry %d", e.Seq, t.seq))
	}
	t.seq = e.Seq
	if !customerSees(e) {
		t.add(fmt.Sprintf("entry %d (%s) is not for customers", e.Seq, e.Type))
	}
	switch e.Type {
	case sessionConcluded, sessionAbandoned:
		t.ended = true
	case publicMessageSent:
		i := len(t.arrivals)
		if text, ok := t.want(i); !ok {
			t.add(fmt.Sprintf("there is a message %d, which was not sent", i+1))
		} else if text != e.Text {
			t.add(fmt.Sprintf("message %d is not the one that was sent", i+1))
		}
		t.arrivals = append(t.arrivals, at)
		if i < len(t.acks) {
			t.ackToLive.record(at.Sub(t.acks[i]))
		}
	}
}

func (t *tracker) wrong(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(what)
}

func (t *tracker) add(what string) {
	if len(t.problems) < maxProblems {
		t.problems = append(t.problems, what)
	}
}

// firstProblem ends a sentence, with nothing where there is none.
func (t *tracker) firstProblem() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.problems) == 0 {
		return ""
	}
	return ": " + t.problems[0]
}

// over tells whether the stream has shown the end of the session.
func (t *tracker) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// verdict is all that was wrong, once so many messages have been sent and the session has ended.
func (t *tracker) verdict(messages int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.arrivals) != messages {
		t.add(fmt.Sprintf("%d messages arrived of %d", len(t.arrivals), messages))
	}
	if !t.ended {
		t.add("the end of the session did not arrive")
	}
	return t.problems
}

// forCustomers are the types of entry that a customer may see; SupervisorJoined where the queue announces it.
var forCustomers = map[string]bool{
	"SessionRequested": true, "AgentJoined": true, publicMessageSent: true, "ParticipantLeft": true,
	"SessionTransferred": true, sessionAbandoned: true, sessionConcluded: true, "MessageRedacted": true, "SupervisorJoined": true,
}

func customerSees(e entry) bool {
	return forCustomers[e.Type] && (e.Visibility == "" || e.Visibility == "public")
}
