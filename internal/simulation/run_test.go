package simulation

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAFileWithoutAnyConversationIsNotPlayed(t *testing.T) {
	for content, want := range map[string]string{
		"":           "holds no conversation",
		"a,b\nc,d\n": "line 1: not a JSON object",
	} {
		file := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		// There is no server at that address, and none is asked for.
		_, err := Run(t.Context(), Config{BaseURL: "http://localhost:1", Token: noToken, File: file})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if _, err := Run(t.Context(), Config{BaseURL: "http://localhost:1", Token: noToken, File: "no-such-file"}); err == nil {
		t.Error("a file that is not there was played")
	}
}

func TestConversationsGivenCountBeforeTheFile(t *testing.T) {
	given := []Conversation{{ID: "a", Queue: "Rental Cars"}, {ID: "b", Queue: "rental cars"}, {ID: "c", Queue: "x"}}
	got, _, err := Config{Conversations: given, Limit: 2, File: "no-such-file"}.conversations()
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff(map[string]string{"rental-cars": "rental cars"}, queuesOf(got)); diff != "" {
		t.Error(diff)
	}
}

func TestASessionGoesToWhomItIsOfferedAndIsPulledWhenItIsNot(t *testing.T) {
	busy, idle := &member{id: "busy"}, &member{id: "idle"}
	busy.open.Store(3)
	s := &session{run: &run{
		cfg:  Config{OfferWait: 2 * time.Second},
		site: &site{agents: []*member{busy, idle}, byID: map[string]*member{"busy": busy, "idle": idle}},
	}}
	for name, c := range map[string]struct {
		view   view
		waited time.Duration
		agent  *member
		pulled bool
	}{
		"offered to one of us":        {view{State: "offered", OfferedTo: "busy"}, 0, busy, false},
		"offered to a stranger":       {view{State: "offered", OfferedTo: "stranger"}, 0, idle, true},
		"waits for an offer":          {view{State: "queued"}, time.Second, nil, false},
		"waits too long for an offer": {view{State: "queued"}, 2 * time.Second, idle, true},
		"one of us has it already":    {view{State: "engaged", AgentID: "busy"}, time.Hour, busy, false},
		"a stranger has it":           {view{State: "engaged", AgentID: "stranger"}, time.Hour, nil, false},
	} {
		if agent, pulled := s.choose(c.view, c.waited); agent != c.agent || pulled != c.pulled {
			t.Errorf("%s: %v, %t", name, agent, pulled)
		}
	}
}

func TestSupervisorsTakeTurns(t *testing.T) {
	a, b := &member{id: "a"}, &member{id: "b"}
	s := &site{supervisors: []*member{a, b}}
	if first, second := s.supervisor(), s.supervisor(); first == second || s.supervisor() != first {
		t.Error("one has more than the other")
	}
}

func TestProgressIsALineEveryTwoSecondsWhereThereIsNoTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuilder
		s := newStats()
		s.sessions.Add(3)
		s.failed.Add(1)
		s.messages.Add(100)
		p := showProgress(&out, 10, s)
		p.step()
		if err := pause(t.Context(), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		p.stop()
		want := "4/10 sessions, 100 messages, 50 messages/s, 1 failed\n4/10 sessions, 100 messages, 25 messages/s, 1 failed\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestLoadHasDefaultsAndAnEnd(t *testing.T) {
	ok := Config{BaseURL: "http://localhost", Token: noToken}
	got, err := LoadConfig{Config: ok}.complete()
	if err != nil || got.Clients != 64 || got.Parallel != 64 || got.Duration != 10*time.Second || got.TextBytes != 100 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (LoadConfig{Config: ok, Clients: -1, TextBytes: 3}).complete(); err == nil {
		t.Error("was accepted")
	}
	l := &load{left: 2}
	if !l.take() || !l.take() || l.take() {
		t.Error("want two messages and no more")
	}
	if a, b := loadText(1, 2, 100), loadText(1, 3, 100); len(a) != 100 || a == b {
		t.Errorf("%q, %q", a, b)
	}
}
