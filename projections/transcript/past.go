package transcript

import (
	"context"
	"fmt"
	"time"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Activity is what the entries of a session come to at a time. Its times are zero for what has not happened.
type Activity struct {
	Messages              int // public
	LastCustomerMessageAt time.Time
	LastAgentMessageAt    time.Time
	HelpRequestedAt       time.Time // of the call that was open
	OfferedAt             time.Time // of the offer that was open
	WithdrawnAt           time.Time // of the last offer that was declined or expired
}

const activityAt = `SELECT session_key,
	count(*) FILTER (WHERE event_type = 'PublicMessageSent'),
	max(CASE WHEN event_type = 'PublicMessageSent' AND public_sender_role = 'customer' THEN occurred_at END),
	max(CASE WHEN event_type = 'PublicMessageSent' AND public_sender_role = 'agent' THEN occurred_at END),
	max(CASE WHEN event_type = 'HelpRequested' THEN occurred_at END),
	coalesce(max(CASE WHEN event_type = 'HelpRequested' THEN revision END), -1)
		> coalesce(max(CASE WHEN event_type IN ('HelpResolved', 'SessionTransferred', 'SessionConcluded') THEN revision END), -1),
	max(CASE WHEN event_type = 'SessionOffered' THEN occurred_at END),
	coalesce(max(CASE WHEN event_type = 'SessionOffered' THEN revision END), -1)
		> coalesce(max(CASE WHEN event_type NOT IN ('SessionOffered', 'SupervisorStartedMonitoring', 'SupervisorStoppedMonitoring',
			'SupervisorJoined', 'ParticipantLeft', 'MessageRedacted') THEN revision END), -1),
	max(CASE WHEN event_type IN ('OfferDeclined', 'OfferExpired') THEN occurred_at END)
	FROM transcript_entry WHERE occurred_at <= ? AND session_key IN ? GROUP BY session_key`

// ActivityAt tells what sessions, by key, had come to at a time. Sessions without entries then are missing.
func ActivityAt(ctx context.Context, q readstore.Queryer, keys []int64, at time.Time) (map[int64]Activity, error) {
	const step = 256
	out := make(map[int64]Activity, len(keys))
	for len(keys) > 0 {
		n := min(step, len(keys))
		rows, err := q.Query(ctx, activityAt, readstore.At(at), readstore.Of(keys[:n]))
		_, err = readstore.Collect(rows, err, func(rows readstore.Rows) (struct{}, error) {
			key, a, err := scanActivity(rows)
			out[key] = a
			return struct{}{}, err
		})
		keys = keys[n:]
		if err != nil {
			return nil, fmt.Errorf("read past activity: %w", err)
		}
	}
	return out, nil
}

func scanActivity(rows readstore.Rows) (key int64, a Activity, err error) {
	var customer, agent, help, offered, withdrawn readstore.Time
	var helpOpen, offerOpen bool
	err = rows.Scan(&key, &a.Messages, &customer, &agent, &help, &helpOpen, &offered, &offerOpen, &withdrawn)
	a.LastCustomerMessageAt, a.LastAgentMessageAt, a.WithdrawnAt = customer.Time, agent.Time, withdrawn.Time
	if helpOpen {
		a.HelpRequestedAt = help.Time
	}
	if offerOpen {
		a.OfferedAt = offered.Time
	}
	return key, a, err
}
