package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    []byte
}

// is checks the status.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d instead of %d: %s", a.status, status, a.raw)
	}
	return a
}

// problem checks that the answer is a problem of that code, complete.
func (a answer) problem(status int, code string) answer {
	a.t.Helper()
	a.is(status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Fatalf("a problem of type %s: %s", got, a.raw)
	}
	if a.text("code") != code || a.text("type") == "" || a.text("title") == "" || a.text("detail") == "" || a.number("status") != status {
		a.t.Fatalf("not the problem %s: %s", code, a.raw)
	}
	return a
}

// at follows a path such as "items.0.name" into the JSON.
func (a answer) at(path string) any {
	a.t.Helper()
	var value any
	if err := json.Unmarshal(a.raw, &value); err != nil {
		a.t.Fatalf("not JSON: %s", a.raw)
	}
	if path == "" {
		return value
	}
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i := int(step[0] - '0')
			if i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func (a answer) text(path string) string { a.t.Helper(); s, _ := a.at(path).(string); return s }

func (a answer) number(path string) int {
	a.t.Helper()
	n, there := a.at(path).(float64)
	if !there {
		return -1 << 30
	}
	return int(n)
}

func (a answer) list(path string) []any { a.t.Helper(); l, _ := a.at(path).([]any); return l }

func contains(a answer, text string) bool { return bytes.Contains(a.raw, []byte(text)) }
