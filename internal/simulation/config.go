package simulation

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"time"
)

// Config says what to play, where, and how. Zero values stand for the defaults named.
type Config struct {
	// BaseURL of the server, without /v1.
	BaseURL string
	// Token signs a bearer token. Roles are admin, auditor and staff.
	Token func(role, subject, name string) (string, error)

	// File of conversations, one JSON object a line; or Conversations themselves, which then count.
	File          string
	Conversations []Conversation
	// Limit plays only the first so many conversations; Repeat plays all of them so many times (1).
	Limit, Repeat int

	// Parallel sessions at a time (64).
	Parallel int
	// Rate bounds the public messages a second of the whole run; 0 for as fast as it goes.
	Rate float64
	// AgentSessions each agent holds at most (10). Agents (enough for twice the parallel sessions) and Supervisors
	// (one for every 64 parallel sessions, and one more) is how many log in.
	AgentSessions, Agents, Supervisors int
	// Prefix of the ids of staff and profiles ("sim").
	Prefix string
	// Mix says which conversations are watched, coached and so on.
	Mix Mix
	// RequestAs is the role of the token with which customers ask for a session; empty for none, as a chat widget does.
	RequestAs string

	// OfferWait is how long a session may wait for an offer until an agent pulls it (2 s).
	OfferWait time.Duration
	// RetryFor is how long one request is sent again while the server does not serve (60 s). RequestTimeout bounds one
	// attempt (30 s).
	RetryFor, RequestTimeout time.Duration

	// Progress is where it is shown how far the run is: a bar on a terminal, lines elsewhere. Nil for not at all.
	Progress io.Writer
	// SkipVerify leaves out reading everything back.
	SkipVerify bool
}

// Mix says which conversations get more than their turns: every n-th of each, counted from the first one. 0 stands for
// the default, a negative number for never.
type Mix struct {
	Monitor int // watched silently (10)
	Coach   int // watched, and the supervisor writes privately (20)
	Join    int // watched, and the supervisor joins (40)
	Leave   int // ended by the customer, not by the agent (7)
	Live    int // listened to on the customer's live stream (16)
}

var prefixForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)

// complete fills in the defaults and returns all that is wrong with the rest.
func (c Config) complete() (Config, error) {
	for _, n := range []struct {
		value *int
		def   int
	}{
		{&c.Repeat, 1}, {&c.Parallel, 64}, {&c.AgentSessions, 10},
		{&c.Mix.Monitor, 10}, {&c.Mix.Coach, 20}, {&c.Mix.Join, 40}, {&c.Mix.Leave, 7}, {&c.Mix.Live, 16},
	} {
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&c.OfferWait, 2 * time.Second}, {&c.RetryFor, time.Minute}, {&c.RequestTimeout, 30 * time.Second}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	if c.Prefix == "" {
		c.Prefix = "sim"
	}
	problems := c.check()
	if c.AgentSessions > 0 && c.Agents == 0 {
		c.Agents = ceil(2*c.Parallel, c.AgentSessions) + 1
	}
	if c.Supervisors == 0 {
		c.Supervisors = ceil(c.Parallel, 64) + 1
	}
	return c, errors.Join(problems...)
}

func (c Config) check() []error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		wrong("the server's address must be like http://localhost:8080")
	}
	if c.Token == nil {
		wrong("there is nothing to sign tokens with")
	}
	if c.Rate < 0 {
		wrong("the rate must not be negative")
	}
	if !prefixForm.MatchString(c.Prefix) {
		wrong("the prefix must be of the form [a-z0-9][a-z0-9._-]{0,39}")
	}
	for _, n := range []struct {
		name     string
		value    int
		min, max int
	}{
		{"limit", c.Limit, 0, 1 << 30}, {"repeat", c.Repeat, 1, 1 << 20}, {"parallel", c.Parallel, 1, 100_000},
		{"agent sessions", c.AgentSessions, 1, maxSessions}, {"agents", c.Agents, 0, 100_000},
		{"supervisors", c.Supervisors, 0, 10_000},
	} {
		if n.value < n.min || n.value > n.max {
			wrong("%s must be between %d and %d", n.name, n.min, n.max)
		}
	}
	return problems
}

// maxSessions is the most that a profile allows.
const maxSessions = 1000

func ceil(a, b int) int { return (a + b - 1) / b }
