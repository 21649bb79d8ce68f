package projections

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Lag is how far projections are behind the log.
type Lag struct {
	// Events that have not been stored. While catching up with a log whose positions do not count events, it is an estimate from
	// how far apart the events so far were.
	Events int64
	// MS is for how many milliseconds the oldest event that is known and not stored has been recorded; 0 when there is none.
	MS int64
}

// backlog is what an engine has read of the log and not stored.
type backlog struct {
	mu       sync.Mutex
	in       *inbox
	from     eventstore.Position // where following began
	read     eventstore.Position // how far the folded batches reach
	events   int64               // folded since
	underWay []pending           // batches that are not committed, oldest first
}

type pending struct {
	events int
	oldest time.Time
}

func (b *backlog) begin(in *inbox, from eventstore.Position) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in, b.from, b.read, b.events, b.underWay = in, from, from, 0, nil
}

// end tells how far it was read.
func (b *backlog) end() eventstore.Position {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.in, b.underWay = nil, nil
	return b.read
}

func (b *backlog) taken(batch *Batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := pending{events: len(batch.Events)}
	if p.events > 0 {
		p.oldest = batch.Events[0].RecordedAt
	}
	b.underWay = append(b.underWay, p)
	b.read, b.events = batch.Position, b.events+int64(p.events)
}

func (b *backlog) committed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.underWay) > 0 {
		b.underWay = b.underWay[1:]
	}
}

// lag tells how far a log that ends at head has come ahead, at a time.
func (b *backlog) lag(head, stored eventstore.Position, now time.Time) Lag {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.in == nil {
		return Lag{Events: int64(head - min(head, stored))}
	}
	waiting, oldest, read, caughtUp := b.in.look()
	read = max(read, b.read)
	out := Lag{Events: int64(waiting)}
	for i := len(b.underWay) - 1; i >= 0; i-- {
		out.Events += int64(b.underWay[i].events)
		if !b.underWay[i].oldest.IsZero() {
			oldest = b.underWay[i].oldest
		}
	}
	if !caughtUp && head > read {
		apart := 1.0
		if b.events > 0 {
			apart = max(1, float64(b.read-b.from)/float64(b.events))
		}
		out.Events += int64(float64(head-read) / apart)
	}
	if !oldest.IsZero() {
		out.MS = max(0, now.Sub(oldest).Milliseconds())
	}
	return out
}

// lag of this engine, which has the leases.
func (e *Engine) lag(ctx context.Context) (Lag, error) {
	head, err := e.log.Head(ctx)
	if err != nil {
		return Lag{}, err
	}
	return e.backlog.lag(head, e.Position(), e.opts.Clock()), nil
}

// tellableLag is the lag, or when the log does not answer, what has been read of it and not stored: a lease has to be renewed in
// time.
func (e *Engine) tellableLag(ctx context.Context) Lag {
	asking, cancel := context.WithTimeout(ctx, leaseRenewal/2)
	defer cancel()
	lag, err := e.lag(asking)
	if err != nil {
		position := e.Position()
		lag = e.backlog.lag(position, position, e.opts.Clock())
	}
	return lag
}

// Status of a projection.
type Status struct {
	Name     string
	Position eventstore.Position
	Events   int64  // folded since its tables were empty
	Version  int64  // of the code that built its rows
	Holder   string // process that has the lease, "" when none has
	// Idle says that no process has had the lease for longer than it takes to change hands.
	Idle bool
	Lag  Lag
}

// Status tells where the projections stand, in whichever process they run. What another process runs is told as of its last
// word, and as older by the time since when its lease has expired.
func (e *Engine) Status(ctx context.Context) ([]Status, error) {
	rows, err := checkpoints(ctx, e.db, e.names())
	if err != nil {
		return nil, err
	}
	own, ownErr := Lag{}, error(nil)
	leading := e.Leading()
	if leading {
		own, ownErr = e.lag(ctx)
	}
	var out []Status
	for _, name := range e.names() {
		row, begun := rows[name]
		s := Status{Name: name, Position: row.position, Events: row.events, Version: row.version, Holder: row.holder, Lag: row.lag}
		switch {
		case leading:
			s.Lag = own
		case begun && !row.live:
			silence := max(0, e.opts.Clock().Sub(row.updated))
			s.Holder, s.Idle = "", silence > leaseLife+2*standbyPoll
			s.Lag.MS += silence.Milliseconds()
		}
		out = append(out, s)
	}
	if ownErr != nil {
		ownErr = fmt.Errorf("ask where the log ends: %w", ownErr)
	}
	return out, ownErr
}
