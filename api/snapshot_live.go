package api

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// snapshotRefresh is how often a live snapshot is sent although nothing but its ages has changed.
const snapshotRefresh = 5 * time.Second

// getSnapshotLive streams the report: when what the caller sees of it has changed, and now and then for its ages. What they
// do not see sends nothing: a stream that stirs would tell of it.
func getSnapshotLive(c *call) (*reply, error) {
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	queues, err := c.overseen()
	if err != nil {
		return nil, err
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	out, err := c.openEvents()
	if err != nil {
		return nil, err
	}
	expiry := time.NewTimer(c.who.Expires.Sub(c.Clock()))
	defer expiry.Stop()
	tick := time.NewTicker(c.Limits.SnapshotEvery)
	defer tick.Stop()
	s := snapshotStream{call: c, queues: queues, out: out}
	for {
		if more, err := s.step(); !more {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-expiry.C:
			return nil, nil
		case <-c.stopping:
			return nil, nil
		case <-c.ctx().Done():
			return nil, nil
		}
	}
}

type snapshotStream struct {
	*call
	queues []domain.QueueID
	out    *events
	moved  eventstore.Position // of the read model when it was last looked at
	sent   time.Time
	shown  [sha256.Size]byte
}

// step sends a snapshot if there is a reason to. It tells whether the stream goes on.
func (s *snapshotStream) step() (more bool, err error) {
	queues, err := s.overseen()
	if err != nil {
		return false, nil // the caller is no supervisor any more
	}
	position := s.Progress.Position()
	due := s.Clock().Sub(s.sent) >= snapshotRefresh
	if position == s.moved && !due && slices.Equal(queues, s.queues) {
		return true, nil
	}
	s.moved, s.queues = position, queues
	body, err := s.snapshot(queues, time.Time{}, false)
	if err != nil {
		return false, err
	}
	shown, err := content(body)
	if err != nil {
		return false, err
	}
	if shown == s.shown && !due {
		return true, nil
	}
	s.shown, s.sent = shown, s.Clock()
	data, err := json.Marshal(body)
	if err != nil {
		return false, fmt.Errorf("encode a snapshot: %w", err)
	}
	s.out.event("", "snapshot", data)
	return s.out.flush() == nil, nil
}

// content is a hash of all of a snapshot that does not change by the mere passing of time.
func content(s snapshotResource) ([sha256.Size]byte, error) {
	s.AsOf, s.Position = timestamp{}, ""
	s.Queues, s.Agents, s.Sessions = slices.Clone(s.Queues), slices.Clone(s.Agents), slices.Clone(s.Sessions)
	for i := range s.Queues {
		s.Queues[i].OldestWaitMS = nil
	}
	for i := range s.Agents {
		s.Agents[i].TimeInStatusMS, s.Agents[i].OldestSessionMS = 0, nil
	}
	for i := range s.Sessions {
		x := &s.Sessions[i]
		x.TimeInStateMS, x.WaitMS, x.DurationMS, x.LastCustomerMessageAgeMS, x.LastAgentMessageAgeMS = 0, 0, 0, nil, nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("compare snapshots: %w", err)
	}
	return sha256.Sum256(data), nil
}
