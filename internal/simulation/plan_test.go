package simulation

import (
	"testing"

	"pgregory.net/rapid"
)

func defaultMix(t *testing.T) Mix {
	t.Helper()
	cfg, err := Config{BaseURL: "http://localhost", Token: noToken}.complete()
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Mix
}

func noToken(string, string, string) (string, error) { return "", nil }

func TestEachKindOfConversationComesAsOftenAsTheMixSays(t *testing.T) {
	mix := defaultMix(t)
	var monitored, coached, joined, left, live, silentLeave, silentEnd, coachedLeave, coachedEnd int
	const conversations = 560 // 80 rounds of the customers' leaving, 14 of the joining
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for number := range conversations {
		p := planFor(number, 12, mix)
		silent := p.monitored && !p.coached
		count(&monitored, p.monitored)
		count(&coached, p.coached)
		count(&joined, p.joined)
		count(&left, p.customerLeaves)
		count(&live, p.live)
		count(&silentLeave, silent && p.leavesFirst)
		count(&silentEnd, silent && !p.leavesFirst)
		count(&coachedLeave, p.coached && !p.joined && p.leavesFirst)
		count(&coachedEnd, p.coached && !p.joined && !p.leavesFirst)
		if p.joined && !p.leavesFirst {
			t.Errorf("conversation %d is joined and not left", number)
		}
	}
	for what, n := range map[string][2]int{
		"monitored": {monitored, 56}, "coached": {coached, 28}, "joined": {joined, 14}, "left by the customer": {left, 80},
		"live": {live, 35}, "silent, left": {silentLeave, 14}, "silent, ended": {silentEnd, 14},
		"coached, left": {coachedLeave, 7}, "coached, ended": {coachedEnd, 7},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d conversations, want %d", what, n[0], n[1])
		}
	}
}

func TestNeverIsSaidWithANegativeNumber(t *testing.T) {
	for number := range 100 {
		if p := planFor(number, 3, Mix{-1, -1, -1, -1, -1}); p.monitored || p.customerLeaves || p.live || len(p.steps) != 4 {
			t.Fatalf("conversation %d: %+v", number, p)
		}
	}
}

func TestStepsKeepTheRulesOfASession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1, 6)
		mix := Mix{n.Draw(t, "monitor"), n.Draw(t, "coach"), n.Draw(t, "join"), n.Draw(t, "leave"), n.Draw(t, "live")}
		turns := rapid.IntRange(1, 30).Draw(t, "turns")
		p := planFor(rapid.IntRange(0, 500).Draw(t, "number"), turns, mix)

		said, privates, watching, joined, ended := 0, 0, false, false, false
		for _, s := range p.steps {
			if ended {
				t.Fatal("something is done after the end")
			}
			switch s.do {
			case say:
				if s.turn != said {
					t.Fatalf("turn %d is said as number %d", s.turn, said)
				}
				said++
			case startMonitoring:
				watching = true
			case coach:
				privates++
				if !watching {
					t.Fatal("coached by nobody who watches")
				}
			case join:
				joined = watching && !joined
				if !joined {
					t.Fatal("joined without watching, or twice")
				}
			case answerPrivately:
				privates++
				if !joined {
					t.Fatal("the agent answers privately before anybody has joined")
				}
			case stopMonitoring:
				if !watching {
					t.Fatal("left without watching")
				}
				watching = false
			case agentConcludes, customerLeaves:
				ended = true
			}
		}
		if said != turns || !ended || privates != p.privates() || joined != p.joined || joined && watching {
			t.Fatalf("said %d of %d, ended %t, joined %t, watching %t: %+v", said, turns, ended, joined, watching, p)
		}
	})
}
