package simulation

import (
	"fmt"
	"strings"
	"sync"
)

// Report is what reading everything back found. It names sessions and staff by id and quotes no text.
type Report struct {
	Sessions int       `json:"sessions"` // read back
	Messages int       `json:"messages"` // public ones that are as they were sent
	Wrong    int       `json:"wrong"`    // how much was found wrong
	Problems []Problem `json:"problems"` // the first hundred of it
}

// Problem is one thing that is wrong.
type Problem struct {
	ConversationID string `json:"conversation_id,omitempty"`
	SessionID      string `json:"session_id,omitempty"`
	StaffID        string `json:"staff_id,omitempty"`
	What           string `json:"what"`
}

func (p Problem) String() string {
	if p.StaffID != "" {
		return p.StaffID + ": " + p.What
	}
	return fmt.Sprintf("%s (session %s): %s", p.ConversationID, p.SessionID, p.What)
}

// Err is nil when nothing is wrong.
func (r Report) Err() error {
	if r.Wrong == 0 {
		return nil
	}
	return fmt.Errorf("read back: %d things are wrong", r.Wrong)
}

func (r Report) write(b *strings.Builder) {
	if r.Wrong == 0 {
		fmt.Fprintf(b, "Read back %d sessions: all %d messages are there, in order, and customers see nothing private\n", r.Sessions, r.Messages)
		return
	}
	fmt.Fprintf(b, "Read back %d sessions: %d things are WRONG\n", r.Sessions, r.Wrong)
	for i, p := range r.Problems {
		if i == maxListed {
			fmt.Fprintf(b, "  and %d more\n", r.Wrong-i)
			return
		}
		fmt.Fprintf(b, "  %s\n", p)
	}
}

// maxKept is how many problems a report names.
const maxKept = 100

// findings collects a report from many goroutines.
type findings struct {
	mu     sync.Mutex
	report Report
}

func (f *findings) add(problems ...Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report.Wrong += len(problems)
	room := min(len(problems), maxKept-len(f.report.Problems))
	f.report.Problems = append(f.report.Problems, problems[:room]...)
}

func (f *findings) session(messages int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report.Sessions++
	f.report.Messages += messages
}
