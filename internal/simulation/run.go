package simulation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// run is one simulation under way.
type run struct {
	cfg          Config
	client       *client
	stats        *stats
	site         *site
	limiter      *rate.Limiter // nil for no limit
	requestToken string
	marker       string
	giveUp       context.CancelCauseFunc // ends the whole run

	mu       sync.Mutex
	played   []Played
	failures []Failure
}

// Failure is a conversation that was not played to its end.
type Failure struct {
	ConversationID string `json:"conversation_id"`
	SessionID      string `json:"session_id,omitempty"`
	Error          string `json:"error"`
}

// maxListed is how many failures and problems are listed by name.
const maxListed = 10

// partingTime is how long a run takes at most to close what it leaves behind.
const partingTime = 10 * time.Second

// Run plays the conversations and, unless told otherwise, reads everything back. The summary holds what was done in every
// case. The error says that the run could not be set up, was interrupted, lost its server for longer than it retries, or
// that something failed or is wrong.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return Summary{}, err
	}
	conversations, bad, err := cfg.conversations()
	if err != nil {
		return Summary{}, err
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	r, err := begin(ctx, cfg, queuesOf(conversations), giveUp)
	if err != nil {
		return Summary{}, err
	}
	defer r.end(ctx)
	began := time.Now()
	r.playAll(ctx, conversations)
	summary := r.summary(time.Since(began), bad)
	if ctx.Err() != nil {
		return summary, context.Cause(ctx)
	}
	if !cfg.SkipVerify {
		report, err := r.verify(ctx, r.played)
		if err != nil {
			return summary, fmt.Errorf("read back: %w", err)
		}
		summary.Verification = &report
	}
	return summary, summary.Err()
}

// begin sets up the server for a run.
func begin(ctx context.Context, cfg Config, queues map[string]string, giveUp context.CancelCauseFunc) (*run, error) {
	s := newStats()
	r := &run{
		cfg: cfg, client: newClient(cfg, s), stats: s, giveUp: giveUp,
		marker: "[coach " + uuid.NewString()[:8],
	}
	if cfg.Rate > 0 {
		r.limiter = rate.NewLimiter(rate.Limit(cfg.Rate), 1)
	}
	if cfg.RequestAs != "" {
		var err error
		if r.requestToken, err = cfg.Token(cfg.RequestAs, cfg.Prefix+"-widget", "Simulation"); err != nil {
			return nil, fmt.Errorf("sign a token for asking for sessions: %w", err)
		}
	}
	var err error
	if r.site, err = setUp(ctx, cfg, r.client, queues); err != nil {
		r.client.close()
		return nil, fmt.Errorf("set up the server: %w", err)
	}
	return r, nil
}

// end logs everybody out, also when the run was interrupted.
func (r *run) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
	defer cancel()
	r.site.logOut(ctx)
	r.client.close()
}

// queuesOf the conversations: the name by the id.
func queuesOf(conversations []Conversation) map[string]string {
	queues := map[string]string{}
	for _, c := range conversations {
		queues[slug(c.Queue)] = c.Queue
	}
	return queues
}

func (r *run) playAll(ctx context.Context, conversations []Conversation) {
	total := len(conversations) * r.cfg.Repeat
	shown := showProgress(r.cfg.Progress, total, r.stats)
	defer shown.stop()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(r.cfg.Parallel, total) {
		workers.Go(func() {
			for ctx.Err() == nil {
				number := int(next.Add(1)) - 1
				if number >= total {
					return
				}
				r.playOne(ctx, number, &conversations[number%len(conversations)])
				shown.step()
			}
		})
	}
	workers.Wait()
}

// playOne plays a conversation and notes how it went.
func (r *run) playOne(ctx context.Context, number int, c *Conversation) {
	played, s, err := r.play(ctx, number, c)
	if err == nil {
		r.stats.sessions.Add(1)
		r.mu.Lock()
		r.played = append(r.played, played)
		r.mu.Unlock()
		return
	}
	if errors.Is(err, errUnreachable) {
		r.giveUp(err) // the others would only find out the same, one after the other
	}
	if s.id != "" && !errors.Is(context.Cause(ctx), errUnreachable) {
		parting, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
		r.site.abort(parting, s.id)
		cancel()
	}
	if ctx.Err() != nil {
		r.stats.interrupted.Add(1)
		return
	}
	r.stats.failed.Add(1)
	r.stats.countError(codeOf(err))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failures) < maxListed {
		r.failures = append(r.failures, Failure{ConversationID: c.ID, SessionID: s.id, Error: err.Error()})
	}
}
