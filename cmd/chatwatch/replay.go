package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// replayCommand tells what happened in a session, event by event, from the log itself. It may run beside a server.
type replayCommand struct {
	Session  string `arg:"" help:"The session's id."`
	Revision int64  `help:"Stop after this revision; -1 for all." default:"-1"`
	JSON     bool   `help:"Print every event with its data and metadata, one JSON object a line." name:"json"`
}

func (c *replayCommand) Run(ctx context.Context, e *environment) error {
	store, err := e.readLog(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	last := uint64(math.MaxUint64)
	if c.Revision >= 0 {
		last = uint64(c.Revision)
	}
	tell := tellText
	if c.JSON {
		tell = tellJSON
	}
	stream := eventcodec.SessionPrefix + c.Session
	state, err := tell(e.stdout, func(yield func(eventstore.Recorded) error) error {
		for recorded, err := range store.ReadStream(ctx, stream, 0, eventstore.Forwards, 0) {
			if errors.Is(err, eventstore.ErrStreamNotFound) {
				return fmt.Errorf("there is no session %s", c.Session)
			}
			if err != nil {
				return fmt.Errorf("replay %s: %w", c.Session, err)
			}
			if recorded.Revision > last {
				break
			}
			if err := yield(recorded); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "\nstate %s, queue %s, agent %s, watched by %d\n",
		state.Phase, state.Queue.ID, orNone(string(state.Agent.ID)), len(state.Watchers))
	return err
}

// history hands out a session's events one by one.
type history func(yield func(eventstore.Recorded) error) error

func tellText(w io.Writer, events history) (session.State, error) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var state session.State
	err := events(func(r eventstore.Recorded) error {
		envelope, err := eventcodec.Decode(r)
		if err != nil {
			return err
		}
		event, ok := envelope.Event.(session.Event)
		if !ok {
			return fmt.Errorf("%s does not belong in a session", envelope.Type)
		}
		state = session.Evolve(state, event)
		view := session.ForAuditor(event)
		who := ""
		if view.Sender != nil {
			who = fmt.Sprintf("%s %s", view.Sender.Role, view.Sender.Name)
		}
		_, err = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", r.Revision,
			envelope.Metadata.OccurredAt.Format("2006-01-02T15:04:05.000Z"), envelope.Type, view.Visibility, who, view.Text)
		return err
	})
	if err != nil {
		return state, err
	}
	return state, table.Flush()
}

func tellJSON(w io.Writer, events history) (session.State, error) {
	encoder := json.NewEncoder(w)
	return session.State{}, events(func(r eventstore.Recorded) error {
		return encoder.Encode(struct {
			Revision   uint64          `json:"revision"`
			Type       string          `json:"type"`
			RecordedAt string          `json:"recorded_at"`
			Data       json.RawMessage `json:"data"`
			Metadata   json.RawMessage `json:"metadata"`
		}{r.Revision, r.Type, r.RecordedAt.Format("2006-01-02T15:04:05.000Z"), r.Data, r.Metadata})
	})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
