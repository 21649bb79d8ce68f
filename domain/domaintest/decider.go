// Package domaintest says in tests what a decider decides: given events, when a command, then events or a rejection. It also
// finds the types that a sealed interface has and fills them, so that a test can hold for every one of them. It knows no
// rule, and no production code imports it.
package domaintest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/domain"
)

// Decider is a pair of functions under test.
type Decider[S, C, E any] struct {
	Decide func(S, C) ([]E, error)
	Evolve func(S, E) S
}

// Scenario is a history.
type Scenario[S, C, E any] struct {
	t       testing.TB
	decider Decider[S, C, E]
	State   S // after the history
}

// Given begins a scenario with a history. It fails the test when Evolve changes the state that it was given.
func (d Decider[S, C, E]) Given(t testing.TB, history ...E) Scenario[S, C, E] {
	t.Helper()
	s := Scenario[S, C, E]{t: t, decider: d}
	for _, e := range history {
		before := fmt.Sprintf("%#v", s.State)
		next := d.Evolve(s.State, e)
		if after := fmt.Sprintf("%#v", s.State); after != before {
			t.Errorf("Evolve(%T) changed its input\nbefore %s\nafter  %s", e, before, after)
		}
		s.State = next
	}
	return s
}

// Outcome is what a command came to.
type Outcome[S, C, E any] struct {
	t       testing.TB
	decider Decider[S, C, E]
	state   S
	command C
	events  []E
	err     error
}

// When gives the command to the decider.
func (s Scenario[S, C, E]) When(command C) Outcome[S, C, E] {
	s.t.Helper()
	events, err := s.decider.Decide(s.State, command)
	return Outcome[S, C, E]{s.t, s.decider, s.State, command, events, err}
}

// Then demands exactly these events, in this order. It returns the scenario that goes on from them.
func (o Outcome[S, C, E]) Then(want ...E) Scenario[S, C, E] {
	o.t.Helper()
	if o.err != nil {
		o.t.Errorf("%T was refused: %v\nwant%s", o.command, o.err, list(want))
	} else if !(len(want) == 0 && len(o.events) == 0) && !reflect.DeepEqual(o.events, want) {
		o.t.Errorf("%T came to something else:\n%s", o.command, Diff(o.events, want))
	}
	next := Scenario[S, C, E]{o.t, o.decider, o.state}
	for _, e := range o.events {
		next.State = o.decider.Evolve(next.State, e)
	}
	return next
}

// ThenNothing demands that the command changes nothing and is not refused.
func (o Outcome[S, C, E]) ThenNothing() {
	o.t.Helper()
	o.Then()
}

// ThenRejected demands a refusal with a code, and returns it.
func (o Outcome[S, C, E]) ThenRejected(code domain.Code) *domain.Rejection {
	o.t.Helper()
	if len(o.events) > 0 {
		o.t.Errorf("%T was not refused with %s, it came to%s", o.command, code, list(o.events))
	}
	if got := domain.CodeOf(o.err); got != code {
		o.t.Errorf("%T was refused with %q (%v), want %q", o.command, got, o.err, code)
	}
	r, _ := o.err.(*domain.Rejection)
	if r == nil {
		r = &domain.Rejection{}
	}
	return r
}

// Diff shows two lists of events side by side, with a mark at what differs.
func Diff[E any](got, want []E) string {
	var b strings.Builder
	for i := range max(len(got), len(want)) {
		g, w := at(got, i), at(want, i)
		if g == w {
			fmt.Fprintf(&b, "     %s\n", g)
			continue
		}
		fmt.Fprintf(&b, "got  %s\nwant %s\n", g, w)
	}
	return b.String()
}

func at[E any](events []E, i int) string {
	if i >= len(events) {
		return "(nothing)"
	}
	return show(events[i])
}

func list[E any](events []E) string {
	if len(events) == 0 {
		return " nothing"
	}
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "\n     %s", show(e))
	}
	return b.String()
}

// show prints what pointers point to, one level deep, so that a difference can be seen.
func show(e any) string {
	text := fmt.Sprintf("%T%+v", e, e)
	v := reflect.ValueOf(e)
	if v.Kind() != reflect.Struct {
		return text
	}
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() && f.CanInterface() {
			text += fmt.Sprintf(" %s=%+v", v.Type().Field(i).Name, f.Elem().Interface())
		}
	}
	return text
}
