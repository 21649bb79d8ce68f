package api

import (
	"context"
	"strconv"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Progress is how far the read models are: of this process's own engine, or of another node's as its checkpoint tells.
type Progress interface {
	// Position up to which everything is stored.
	Position() eventstore.Position
	// WaitFor returns when a position has been reached, or with ctx.Err().
	WaitFor(ctx context.Context, position eventstore.Position) error
}

// readAfter reads the position that the caller wants to see. Reads that ask the log itself are never behind it.
func (c *call) readAfter() error {
	token := c.http.Header.Get("Chatwatch-After")
	if token == "" {
		return nil
	}
	position, err := c.positions.Open(token)
	if err != nil {
		return invalid("Chatwatch-After is not a position that was given out here")
	}
	c.wanted = eventstore.Position(position)
	return nil
}

// catchUp waits until the read models are where the caller wants them, or else as far as this node has answered; the
// latter not for long: they serve what they have.
func (c *call) catchUp(acknowledged eventstore.Position, patience time.Duration) error {
	if c.wanted > eventstore.Start && !c.reached(c.wanted, c.Limits.AfterTimeout) {
		return c.behind()
	}
	c.reached(acknowledged, patience)
	return c.ctx().Err()
}

// behind refuses a read with both positions, sealed so that how far they are apart cannot be told, nor whether they are the
// same as others.
func (c *call) behind() error {
	return &domain.Rejection{
		Code: domain.ProjectionBehind, Detail: "the report has not reached that position yet",
		Data: map[string]any{
			"wanted":  c.positions.SealSalted(uint64(c.wanted)),
			"reached": c.positions.SealSalted(uint64(c.Progress.Position())),
		},
	}
}

func (c *call) reached(position eventstore.Position, patience time.Duration) bool {
	if c.Progress.Position() >= position {
		return true
	}
	ctx, cancel := context.WithTimeout(c.ctx(), patience)
	defer cancel()
	return c.Progress.WaitFor(ctx, position) == nil
}

// query is one parameter of the query, "" when it is not there.
func (c *call) query(name string) string { return c.values().Get(name) }

// checkQuery refuses parameters that the operation does not know, and those that are given twice.
func (c *call) checkQuery() error {
	values := c.values()
	if c.malformed != nil {
		return invalid("the query is malformed")
	}
	for name, values := range values {
		if len(values) > 1 {
			return invalid("a query parameter is given twice")
		}
		known := false
		for _, p := range c.op.query {
			known = known || p.name == name
		}
		if !known {
			return invalid("there is a query parameter that is not known here")
		}
	}
	return nil
}

// limit reads how many items a page may have.
func (c *call) limit(otherwise, most int) (int, error) {
	text := c.query("limit")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, invalid("limit must be a number from 1 to " + strconv.Itoa(most))
	}
	return n, nil
}

// instant reads a time of the query; ok is false when there is none.
func (c *call) instant(name string) (at time.Time, ok bool, err error) {
	text := c.query(name)
	if text == "" {
		return time.Time{}, false, nil
	}
	at, err = time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}, false, invalid(name + " must be a time such as 2026-03-01T12:00:00.000Z")
	}
	return at.UTC(), true, nil
}
