package simulation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Summary is what a run did. Its JSON form is for machines.
type Summary struct {
	Sessions        int     `json:"sessions"`
	Messages        int     `json:"messages"` // public
	PrivateMessages int     `json:"private_messages"`
	Monitored       int     `json:"monitored"`
	Coached         int     `json:"coached"`
	Joined          int     `json:"joined"`
	CustomerLeft    int     `json:"customer_left"`
	DurationMS      int64   `json:"duration_ms"`
	MessageRate     float64 `json:"messages_per_second"`
	SessionRate     float64 `json:"sessions_per_second"`

	// Latencies by kind of request, from the first attempt to the answer of the last one.
	Latencies map[string]Latency `json:"latencies"`
	// AckToLive is the time from the answer to a message to its arrival on the customer's live stream.
	AckToLive   Latency `json:"ack_to_live"`
	LiveStreams int     `json:"live_streams"`
	LiveResumed int     `json:"live_resumed"`

	Pulled  int            `json:"pulled"`       // accepted without an offer
	Races   int            `json:"accept_races"` // accepts that came too late
	Retries map[string]int `json:"retries"`      // by what the attempt before ended with
	Errors  map[string]int `json:"errors"`       // by what made a conversation fail

	Failed      int       `json:"failed"`
	Failures    []Failure `json:"failures"` // the first ten
	Interrupted int       `json:"interrupted"`
	// BadLines of the file were left out.
	BadLines []string `json:"bad_lines"`

	// Verification is nil when nothing was read back.
	Verification *Report `json:"verification,omitempty"`

	// Played are the sessions, for Verify.
	Played []Played `json:"-"`
}

func (r *run) summary(took time.Duration, bad []*LineError) Summary {
	s := r.stats
	sum := Summary{
		Sessions: int(s.sessions.Load()), Messages: int(s.messages.Load()), PrivateMessages: int(s.privates.Load()),
		Monitored: int(s.monitored.Load()), Coached: int(s.coached.Load()), Joined: int(s.joined.Load()), CustomerLeft: int(s.customerLeft.Load()),
		DurationMS: took.Milliseconds(), MessageRate: perSecond(s.messages.Load(), took), SessionRate: perSecond(s.sessions.Load(), took),
		Latencies: s.latencies(), AckToLive: s.ackToLive.latency(), LiveStreams: int(s.listened.Load()), LiveResumed: int(s.resumed.Load()),
		Pulled: int(s.pulls.Load()), Races: int(s.races.Load()), Retries: s.retriesByCode(), Errors: s.errorsByCode(),
		Failed: int(s.failed.Load()), Interrupted: int(s.interrupted.Load()),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sum.Failures, sum.Played, sum.BadLines = append([]Failure{}, r.failures...), slices.Clone(r.played), []string{}
	for _, b := range bad {
		sum.BadLines = append(sum.BadLines, b.Error())
	}
	return sum
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// Err tells in one sentence each what failed or is wrong; nil when nothing is.
func (s Summary) Err() error {
	var problems []error
	if s.Failed > 0 {
		problems = append(problems, fmt.Errorf("%d conversations failed", s.Failed))
	}
	if n := len(s.BadLines); n > 0 {
		problems = append(problems, fmt.Errorf("%d lines of the file hold no conversation", n))
	}
	if s.Verification != nil {
		problems = append(problems, s.Verification.Err())
	}
	return errors.Join(problems...)
}

// WriteJSON writes the summary for machines.
func (s Summary) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(s)
}

// WriteText writes the summary for people.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d sessions with %d messages in %s: %.0f messages/s, %.1f sessions/s\n",
		s.Sessions, s.Messages, time.Duration(s.DurationMS)*time.Millisecond, s.MessageRate, s.SessionRate)
	fmt.Fprintf(&b, "%d monitored, %d coached, %d joined, %d private messages; %d left by the customer\n",
		s.Monitored, s.Coached, s.Joined, s.PrivateMessages, s.CustomerLeft)
	writeLatencies(&b, s.Latencies, s.AckToLive)
	if s.LiveStreams > 0 {
		fmt.Fprintf(&b, "%d live streams, taken up again %d times\n", s.LiveStreams, s.LiveResumed)
	}
	if s.Pulled+s.Races > 0 {
		fmt.Fprintf(&b, "%d accepted without an offer, %d accepts came too late\n", s.Pulled, s.Races)
	}
	writeCounts(&b, "Sent again after", s.Retries)
	writeCounts(&b, "Failed with", s.Errors)
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "  %s (session %s): %s\n", f.ConversationID, orNone(f.SessionID), f.Error)
	}
	if more := s.Failed - len(s.Failures); more > 0 {
		fmt.Fprintf(&b, "  and %d more\n", more)
	}
	if s.Interrupted > 0 {
		fmt.Fprintf(&b, "%d conversations were interrupted\n", s.Interrupted)
	}
	for i, bad := range s.BadLines {
		if i == maxListed {
			fmt.Fprintf(&b, "and %d more lines left out\n", len(s.BadLines)-i)
			break
		}
		fmt.Fprintf(&b, "left out: %s\n", bad)
	}
	if s.Verification != nil {
		s.Verification.write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeLatencies(b *strings.Builder, byKind map[string]Latency, ackToLive Latency) {
	table := tabwriter.NewWriter(b, 0, 8, 2, ' ', tabwriter.AlignRight)
	row := func(name string, l Latency) {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t\n", name, l.Count, milliseconds(l.P50), milliseconds(l.P99), milliseconds(l.Max))
	}
	fmt.Fprintln(table, "latency, ms\tcount\tp50\tp99\tmax\t")
	for k := range kindCount {
		if l, ok := byKind[k.String()]; ok {
			row(k.String(), l)
		}
	}
	if ackToLive.Count > 0 {
		row("ack to live", ackToLive)
	}
	_ = table.Flush() // to memory
}

func milliseconds(us uint64) string { return fmt.Sprintf("%.2f", float64(us)/1000) }

func writeCounts(b *strings.Builder, title string, counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	parts := make([]string, 0, len(counts))
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d×", code, counts[code]))
	}
	fmt.Fprintf(b, "%s: %s\n", title, strings.Join(parts, ", "))
}

func orNone(id string) string {
	if id == "" {
		return "none"
	}
	return id
}
