package domaintest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/domaintest"
)

type added struct{ N int }

type counter = domaintest.Decider[[]int, int, added]

func decider() counter {
	return counter{
		Decide: func(s []int, c int) ([]added, error) {
			switch {
			case c < 0:
				return nil, domain.Reject(domain.InvalidRequest, "negative")
			case c == 0:
				return nil, nil
			}
			return []added{{c}, {len(s)}}, nil
		},
		Evolve: func(s []int, e added) []int { return append(append([]int{}, s...), e.N) },
	}
}

// probe is a test that may fail without failing the test around it.
type probe struct {
	testing.TB
	failures []string
}

func (p *probe) Helper() {}
func (p *probe) Errorf(format string, args ...any) {
	p.failures = append(p.failures, fmt.Sprintf(format, args...))
}

func TestWhatIsAsSaidPasses(t *testing.T) {
	d := decider()
	d.Given(t, added{1}, added{2}).When(3).Then(added{3}, added{2}).When(4).Then(added{4}, added{4})
	d.Given(t).When(0).ThenNothing()
	d.Given(t).When(-1).ThenRejected(domain.InvalidRequest)
}

func TestWhatIsNotAsSaidFailsAndShowsTheDifference(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(p *probe)
		want string
	}{
		"another event":     {func(p *probe) { decider().Given(p).When(3).Then(added{3}, added{9}) }, "got  domaintest_test.added{N:0}\nwant domaintest_test.added{N:9}"},
		"an event too many": {func(p *probe) { decider().Given(p).When(3).Then(added{3}) }, "want (nothing)"},
		"an event too few":  {func(p *probe) { decider().Given(p).When(0).Then(added{3}) }, "got  (nothing)"},
		"a refusal":         {func(p *probe) { decider().Given(p).When(-1).Then(added{3}) }, "invalid_request"},
		"no refusal":        {func(p *probe) { decider().Given(p).When(3).ThenRejected(domain.InvalidRequest) }, "was not refused"},
		"another refusal":   {func(p *probe) { decider().Given(p).When(-1).ThenRejected(domain.Missing) }, `want "not_found"`},
		"not nothing":       {func(p *probe) { decider().Given(p).When(3).ThenNothing() }, "came to something else"},
	} {
		p := &probe{TB: t}
		c.run(p)
		if got := strings.Join(p.failures, "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want it to hold %q", name, got, c.want)
		}
	}
}

func TestAnEvolveThatChangesItsInputIsCaught(t *testing.T) {
	d := counter{Evolve: func(s []int, e added) []int {
		if len(s) > 0 {
			s[0] = e.N
			return s
		}
		return []int{e.N}
	}}
	p := &probe{TB: t}
	d.Given(p, added{1}, added{2})
	if len(p.failures) != 1 {
		t.Errorf("failures: %q", p.failures)
	}
}

func TestFilledLeavesNothingAtItsZeroValue(t *testing.T) {
	type inner struct{ A, B string }
	type outer struct {
		S string
		N int64
		P *inner
		L []inner
		M map[string]bool
		inner
	}
	got := domaintest.Filled(outer{}, "x")
	if got.S != "x.S" || got.N != 7 || got.P.A != "x.P.A" || got.L[0].B != "x.L[0].B" || !got.M["x.M.key"] {
		t.Errorf("%+v", got)
	}
}
