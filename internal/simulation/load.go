package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// LoadConfig says how hard to press. Of Config, what concerns conversations does not count.
type LoadConfig struct {
	Config
	// Clients, each with an engaged session of its own, post one message after the other (64).
	Clients int
	// Duration of the posting (10 s), or until so many Messages are posted, whichever is first. 0 Messages for no end.
	Duration time.Duration
	Messages int
	// TextBytes of a message, at least 24 (100).
	TextBytes int
	// Listen opens the customer's live stream on every so-manieth client; 0 for none.
	Listen int
}

// LoadResult is what came of it.
type LoadResult struct {
	Clients    int     `json:"clients"`
	Messages   int     `json:"messages"` // acknowledged
	DurationMS int64   `json:"duration_ms"`
	Rate       float64 `json:"messages_per_second"`
	Latency    Latency `json:"latency"`
	AckToLive  Latency `json:"ack_to_live"`
	// LiveStreams that were listened to, and what was wrong with them.
	LiveStreams  int            `json:"live_streams"`
	LiveProblems []string       `json:"live_problems"`
	Retries      map[string]int `json:"retries"`
	Errors       map[string]int `json:"errors"` // messages that were not acknowledged
}

// Err tells what failed; nil when nothing did.
func (r LoadResult) Err() error {
	var problems []error
	for code, n := range maps.All(r.Errors) {
		problems = append(problems, fmt.Errorf("%d messages failed with %s", n, code))
	}
	for _, what := range r.LiveProblems {
		problems = append(problems, fmt.Errorf("%w: %s", errLive, what))
	}
	return errors.Join(problems...)
}

// WriteText writes the result for people.
func (r LoadResult) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d clients posted %d messages in %s: %.0f messages/s\n",
		r.Clients, r.Messages, time.Duration(r.DurationMS)*time.Millisecond, r.Rate)
	writeLatencies(&b, map[string]Latency{kindMessage.String(): r.Latency}, r.AckToLive)
	writeCounts(&b, "Sent again after", r.Retries)
	writeCounts(&b, "Failed with", r.Errors)
	for _, what := range r.LiveProblems {
		fmt.Fprintf(&b, "live stream: %s\n", what)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c LoadConfig) complete() (LoadConfig, error) {
	for _, n := range []struct {
		value *int
		def   int
	}{{&c.Clients, 64}, {&c.TextBytes, 100}} {
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	if c.Duration == 0 && c.Messages == 0 {
		c.Duration = 10 * time.Second
	}
	if c.Duration == 0 {
		c.Duration = 24 * time.Hour
	}
	c.Parallel = c.Clients
	var problems []error
	if c.Clients < 1 || c.Duration < 0 || c.Messages < 0 || c.Listen < 0 {
		problems = append(problems, errors.New("clients, duration, messages and listeners must not be negative"))
	}
	if c.TextBytes < 24 {
		problems = append(problems, errors.New("a message must have 24 bytes at least"))
	}
	var err error
	c.Config, err = c.Config.complete()
	return c, errors.Join(append(problems, err)...)
}

// LoadMessages posts public messages from many clients at once, each waiting for the answer to one before it posts the
// next, and measures how long the answers take. The clock starts when every client has its session.
func LoadMessages(ctx context.Context, cfg LoadConfig) (LoadResult, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return LoadResult{}, err
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	queue := cfg.Prefix + "-load"
	r, err := begin(ctx, cfg.Config, map[string]string{queue: "Load"}, giveUp)
	if err != nil {
		return LoadResult{}, err
	}
	defer r.end(ctx)
	l := &load{run: r, cfg: cfg, left: int64(cfg.Messages)}
	defer l.close(ctx)
	if err := l.open(ctx, queue); err != nil {
		return LoadResult{}, err
	}
	began := time.Now()
	l.press(ctx, began.Add(cfg.Duration))
	took := time.Since(began)
	l.hearOut(ctx)
	result := l.result(took)
	if ctx.Err() != nil {
		return result, context.Cause(ctx)
	}
	return result, result.Err()
}

// load is one under way.
type load struct {
	run      *run
	cfg      LoadConfig
	clients  []*loadClient
	posted   atomic.Int64
	left     int64 // messages to post in all; 0 for no end
	problems []string
}

type loadClient struct {
	*session
	poster *poster
	number int
	sent   int
}

// open gives every client its session.
func (l *load) open(ctx context.Context, queue string) error {
	l.clients = make([]*loadClient, l.cfg.Clients)
	errs := make([]error, l.cfg.Clients)
	var opening sync.WaitGroup
	for i := range l.clients {
		c := &loadClient{session: &session{run: l.run, number: i}, number: i}
		l.clients[i] = c
		opening.Go(func() { errs[i] = l.openOne(ctx, c, queue) })
	}
	opening.Wait()
	return errors.Join(errs...)
}

func (l *load) openOne(ctx context.Context, c *loadClient, queue string) error {
	if err := c.request(ctx, queue); err != nil {
		return err
	}
	if every(c.number, l.cfg.Listen, 0) {
		want := func(i int) (string, bool) { return loadText(c.number, i, l.cfg.TextBytes), true }
		if err := c.listenTo(ctx, want); err != nil {
			return err
		}
	}
	if err := c.engage(ctx); err != nil {
		return err
	}
	base, err := url.Parse(l.cfg.BaseURL)
	if err != nil {
		return err
	}
	c.poster, err = newPoster(ctx, base, c.id, c.customerToken)
	return err
}

func (l *load) press(ctx context.Context, until time.Time) {
	var pressing sync.WaitGroup
	for _, c := range l.clients {
		pressing.Go(func() {
			stop := context.AfterFunc(ctx, c.poster.close)
			defer stop()
			for ctx.Err() == nil && time.Now().Before(until) && l.take() {
				if err := l.postOne(c); err != nil {
					l.run.stats.countError(codeOf(err))
					return // it is not known whether the message is there, so the next would have no number
				}
			}
		})
	}
	pressing.Wait()
}

func (l *load) postOne(c *loadClient) error {
	literal := encode(loadText(c.number, c.sent, l.cfg.TextBytes))
	began := time.Now()
	if err := c.poster.post(literal); err != nil {
		return err
	}
	acknowledged := time.Now()
	l.run.stats.latency[kindMessage].record(acknowledged.Sub(began))
	l.run.stats.messages.Add(1)
	if c.live != nil {
		c.live.tracker.acked(acknowledged)
	}
	c.sent++
	return nil
}

// take tells whether one more message is to be posted.
func (l *load) take() bool { return l.left == 0 || l.posted.Add(1) <= l.left }

// loadText is the i-th message of a client: numbers, then filler up to so many bytes.
func loadText(client, i, size int) string {
	head := fmt.Sprintf("load %d/%d ", client, i)
	return head + strings.Repeat("x", max(size-len(head), 0))
}

// hearOut concludes the sessions that are listened to and waits for the ends of their streams.
func (l *load) hearOut(ctx context.Context) {
	for _, c := range l.clients {
		if c.live == nil || ctx.Err() != nil {
			continue
		}
		if err := c.conclude(ctx); err != nil {
			l.problems = append(l.problems, "the session cannot be concluded: "+codeOf(err))
			continue
		}
		l.problems = append(l.problems, c.live.finish(ctx, c.sent, liveWait)...)
	}
}

// close ends every session that is open still.
func (l *load) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
	defer cancel()
	var closing sync.WaitGroup
	for _, c := range l.clients {
		closing.Go(func() {
			if c.poster != nil {
				c.poster.close()
			}
			if c.id != "" {
				l.run.site.abort(ctx, c.id)
			}
			c.release()
		})
	}
	closing.Wait()
}

func (l *load) result(took time.Duration) LoadResult {
	s := l.run.stats
	return LoadResult{
		Clients: l.cfg.Clients, Messages: int(s.messages.Load()), DurationMS: took.Milliseconds(), Rate: perSecond(s.messages.Load(), took),
		Latency: s.latency[kindMessage].latency(), AckToLive: s.ackToLive.latency(), LiveStreams: int(s.listened.Load()),
		LiveProblems: l.problems, Retries: s.retriesByCode(), Errors: s.errorsByCode(),
	}
}
