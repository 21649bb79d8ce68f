package staffing

import (
	"context"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections"
)

// load reads members with what has not ended of them.
func load(ctx context.Context, q readstore.Queryer, streams []string) (map[string]projections.Loaded[state], error) {
	ids := projections.IDs(streams, eventcodec.StaffPrefix)
	duties, err := readstore.SelectIn(ctx, q, dutyTable, "staff_id", ids, "")
	if err != nil {
		return nil, err
	}
	states := make(map[domain.StaffID]*state, len(duties))
	for _, row := range duties {
		states[row.StaffID] = &state{duty: row}
	}
	versions, err := readstore.SelectIn(ctx, q, staffTable, "staff_id", ids, "AND is_current")
	if err != nil {
		return nil, err
	}
	for _, row := range versions {
		if s := states[row.StaffID]; s != nil { // what is left of a member without this row is for nobody to go on with
			s.version = row
		}
	}
	statuses, err := readstore.SelectIn(ctx, q, statusTable, "staff_id", ids, "AND ended_at IS NULL")
	if err != nil {
		return nil, err
	}
	for _, row := range statuses {
		if s := states[row.StaffID]; s != nil {
			s.status = row
		}
	}
	slots, err := readstore.SelectIn(ctx, q, slotTable, "staff_id", ids, "AND released_at IS NULL ORDER BY slot_key")
	if err != nil {
		return nil, err
	}
	for _, row := range slots {
		if s := states[row.StaffID]; s != nil {
			s.slots = append(s.slots, row)
		}
	}
	out := make(map[string]projections.Loaded[state], len(states))
	for id, s := range states {
		out[eventcodec.StaffPrefix+string(id)] = projections.Loaded[state]{State: *s, Next: s.duty.Revision + 1}
	}
	return out, nil
}
