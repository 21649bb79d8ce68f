package domain_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
)

func TestAnIdentifierIsLowerCaseLettersDigitsAndThreeSigns(t *testing.T) {
	for id, valid := range map[string]bool{
		"a": true, "0": true, "ann": true, "a.b_c-d": true, "0-9": true, strings.Repeat("a", 64): true,
		"": false, "A": false, ".a": false, "-a": false, "_a": false, "a b": false, "ä": false, "a/b": false, "a\n": false,
		strings.Repeat("a", 65): false,
	} {
		if domain.ValidID(id) != valid {
			t.Errorf("%q: valid is %v", id, !valid)
		}
	}
}

func TestADurationIsWholeMillisecondsAndNeverNegative(t *testing.T) {
	start := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, to time.Time
		want     domain.Millis
	}{
		{start, start.Add(1500 * time.Microsecond), 1}, {start, start, 0}, {start, start.Add(-time.Second), 0}, {time.Time{}, start, 0},
	} {
		if got := domain.MillisBetween(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %d, want %d", c.from, c.to, got, c.want)
		}
	}
	if domain.Millis(1500).Duration() != 1500*time.Millisecond {
		t.Error("a duration does not convert back")
	}
}

func TestATextIsRefusedWithoutBeingRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		text           string
		code, optional domain.Code
	}{
		"good":      {"hello ☺", "", ""},
		"empty":     {"", domain.InvalidRequest, ""},
		"blank":     {" \t\n", domain.InvalidRequest, ""},
		"at limit":  {strings.Repeat("y", 20), "", ""},
		"too long":  {strings.Repeat("y", 21), domain.TextTooLarge, domain.TextTooLarge},
		"not UTF-8": {"y\xff", domain.InvalidRequest, domain.InvalidRequest},
		"NUL":       {"y\x00", domain.InvalidRequest, domain.InvalidRequest},
	} {
		required, optional := domain.CheckText("note", c.text, 20), domain.CheckOptionalText("note", c.text, 20)
		if domain.CodeOf(required) != c.code || domain.CodeOf(optional) != c.optional {
			t.Errorf("%s: %v, %v", name, required, optional)
		}
		if r, ok := required.(*domain.Rejection); ok && (r.Data["field"] != "note" || strings.Contains(r.Error(), "yy")) {
			t.Errorf("%s: %v %v", name, r, r.Data)
		}
	}
}

// The codes that callers may get, by kind. They are part of the interface and never change.
const publicCodes = `
Invalid         invalid_request monitor_requires_supervisor unknown_queue unknown_profile
Unauthenticated unauthenticated
Forbidden       not_permitted queue_not_in_profile own_session not_a_participant
NotFound        not_found
Conflict        profile_has_no_queue not_logged_in no_idle_session not_monitoring already_monitoring not_joined already_joined
Conflict        private_reply_needs_join session_not_engaged session_ended sessions_still_open stale_revision idempotency_key_reused
TooLarge        too_large
Exhausted       too_many_requests
Unavailable     unavailable projection_behind`

func TestEveryCodeHasItsKind(t *testing.T) {
	kinds := map[string]domain.Kind{
		"Invalid": domain.Invalid, "Unauthenticated": domain.Unauthenticated, "Forbidden": domain.Forbidden,
		"NotFound": domain.NotFound, "Conflict": domain.Conflict, "TooLarge": domain.TooLarge,
		"Exhausted": domain.Exhausted, "Unavailable": domain.Unavailable,
	}
	codes := domain.Codes()
	named := 0
	for line := range strings.Lines(strings.TrimSpace(publicCodes)) {
		cells := strings.Fields(line)
		for _, code := range cells[1:] {
			named++
			if codes[domain.Code(code)] != kinds[cells[0]] {
				t.Errorf("%s is of kind %d, want %s", code, codes[domain.Code(code)], cells[0])
			}
		}
	}
	if named != len(codes) {
		t.Errorf("the table names %d codes, there are %d", named, len(codes))
	}
}

func TestEveryCodeInTheSourceHasAKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "rejection.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			found++
			code := domain.Code(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
			if domain.Codes()[code] == 0 {
				t.Errorf("%s has no kind", code)
			}
		}
		return true
	})
	if found != len(domain.Codes()) {
		t.Errorf("the source has %d codes, the table %d", found, len(domain.Codes()))
	}
}

func TestARejectionIsAValueThatNobodyElseCanChange(t *testing.T) {
	first := domain.Reject(domain.NoIdleSession, "%d of %d", 2, 2)
	second := first.With("idle_sessions", 0)
	third := second.With("max_sessions", 2)
	if first.Data != nil || len(second.Data) != 1 || len(third.Data) != 2 {
		t.Errorf("%v %v %v", first.Data, second.Data, third.Data)
	}
	codes := domain.Codes()
	delete(codes, domain.NoIdleSession)
	if third.Kind() != domain.Conflict || third.Error() != "no_idle_session: 2 of 2" {
		t.Errorf("%d %s", third.Kind(), third)
	}
}

func TestTheCodeOfAnErrorIsFoundInItsChain(t *testing.T) {
	if got := domain.CodeOf(fmt.Errorf("monitor: %w", domain.Reject(domain.OwnSession, "own"))); got != domain.OwnSession {
		t.Errorf("got %q", got)
	}
	if domain.CodeOf(errors.New("disk")) != "" || domain.CodeOf(nil) != "" {
		t.Error("what is no rejection has a code")
	}
}
