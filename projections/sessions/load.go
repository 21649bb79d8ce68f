package sessions

import (
	"context"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// load reads sessions with what has not ended of them.
func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[state], error) {
	steps, err := readstore.SelectIn(ctx, q, stepTable, "session_id", projections.IDs(streams, eventcodec.SessionPrefix), "")
	if err != nil {
		return nil, err
	}
	keys, states := make([]int64, len(steps)), make(map[int64]*state, len(steps))
	for i, row := range steps {
		keys[i], states[row.SessionKey] = row.SessionKey, &state{step: row}
	}
	activities, err := readstore.SelectIn(ctx, q, activityTable, "session_key", keys, "")
	if err != nil {
		return nil, err
	}
	for _, row := range activities {
		states[row.SessionKey].activity = row
	}
	if err := loadOpen(ctx, q, keys, states); err != nil {
		return nil, err
	}
	out := make(map[string]projections.Loaded[state], len(states))
	for _, s := range states {
		stream := eventcodec.SessionPrefix + string(s.step.SessionID)
		out[stream] = projections.Loaded[state]{State: *s, Next: s.activity.Revision + 1}
	}
	return out, nil
}

func loadOpen(ctx context.Context, q readstore.Queryer, keys []int64, states map[int64]*state) error {
	segments, err := readstore.SelectIn(ctx, q, segmentTable, "session_key", keys, "AND dequeued_at IS NULL")
	if err != nil {
		return err
	}
	for _, row := range segments {
		states[row.SessionKey].segment = row
	}
	legs, err := readstore.SelectIn(ctx, q, legTable, "session_key", keys, "AND closed_at IS NULL")
	if err != nil {
		return err
	}
	for _, row := range legs {
		states[row.SessionKey].leg = row
	}
	watches, err := readstore.SelectIn(ctx, q, monitoringTable, "session_key", keys, "AND ended_at IS NULL ORDER BY monitoring_key")
	if err != nil {
		return err
	}
	for _, row := range watches {
		states[row.SessionKey].watches = append(states[row.SessionKey].watches, row)
	}
	return nil
}
