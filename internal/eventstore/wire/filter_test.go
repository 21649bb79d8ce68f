package wire_test

import (
	"regexp/syntax"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

// TestExpressionsThatGrowAreRefusedBeforeTheyDo counts what is allocated: compiled, each of these takes 30 MB to 200 MB.
func TestExpressionsThatGrowAreRefusedBeforeTheyDo(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	for what, regex := range map[string]string{
		"any byte":  strings.Repeat(".{1000}", 146),
		"perhaps":   strings.Repeat("(?:.?){1000}", 85),
		"a group":   "(?:" + strings.Repeat("ab?", 330) + "){1000}",
		"a nest":    "(?:" + strings.Repeat("(?:a?b){30}", 80) + "){0,33}",
		"up to":     "(?:" + strings.Repeat("a?", 500) + "){0,1000}",
		"no end":    "(?:" + strings.Repeat("a?", 500) + "){1000,}",
		"one over":  strings.Repeat("a{1000}", 10) + "b",
		"old style": "(" + strings.Repeat("ab*|c", 150) + "){100}",
	} {
		if len(regex) > 1<<10 {
			t.Fatalf("%s has %d bytes, and is refused for them", what, len(regex))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, trailer, err := b.tryAnswers(all(byStreamRegex(regex)))
		runtime.ReadMemStats(&after)
		b.refuses(what, err, trailer, codes.InvalidArgument)
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%s took %d KiB", what, took>>10)
		}
	}
	for _, regex := range []string{strings.Repeat("a{1000}", 10), strings.Repeat("(?:a|bc?)+", 100), `^[^$].{0,200}$`} {
		if _, _, err := b.tryAnswers(all(byStreamRegex(regex))); err != nil {
			t.Errorf("%.20s: %v", regex, err)
		}
	}
}

func TestTheInstructionsOfAnExpressionAreNotUnderestimated(t *testing.T) {
	for _, regex := range []string{
		``, `a`, `abc`, `(?i)straße`, `.`, `[a-z]`, `\pL`, `[^\x00-\x{10FFFF}]`, `^a$`, `\ba\B`, `(a)`, `(?P<n>a)(b)`, `a|b`, `a|bc|def|`, `(?:|a)`,
		`a*`, `a*?`, `(a*)*`, `(?:a?)*`, `(?:a*)+`, `(?:)*`, `a+`, `a?`, `(?:)?`, `a{0}`, `a{1}`, `a{0,1}`, `a{3}`, `a{3,}`, `a{0,}`, `a{1,}`, `a{2,7}`,
		`(?:a?){3,}`, `(?:ab?|c*){2,9}`, `(?:(?:a{2}){3,4}b){5}`, `(?:(?:){9}){9}`, `(?:^$){7}`, `(?:a*){0,9}`, `(?:(a)|b{2,}){4}`, `((((a))))`,
	} {
		parsed, err := syntax.Parse(regex, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		counted := wire.Instructions(parsed)
		compiled, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		own := len(compiled.Inst) - 2 // each begins with one that fails, and ends with one that matches
		if counted < own || counted > 2*own+4 {
			t.Errorf("%s: %d instructions, counted %d", regex, own, counted)
		}
	}
}
