package wire

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

const (
	// maxExpression bounds a filter: every event is held against all of it.
	maxExpression = 16 << 10
	// maxRegex bounds the text of a regular expression, and maxInstructions the program that it becomes: a few bytes of text
	// can ask for a million instructions.
	maxRegex        = 1 << 10
	maxInstructions = 10_000
	// pageEvents is the window of a filter that does not say.
	pageEvents = 32
)

// filter selects events of $all by their stream or by their type.
type filter struct {
	byType   bool
	prefixes []string
	regex    *regexp.Regexp // instead of prefixes
	window   uint64         // events that a subscription looks at at a time
	interval uint64         // events that it looks at between two checkpoints
}

// newFilter takes what a caller asks for. A nil filter lets everything pass.
func newFilter(o *api.ReadReq_Options_FilterOptions) (*filter, error) {
	f := &filter{window: pageEvents}
	var e *api.ReadReq_Options_FilterOptions_Expression
	switch by := o.GetFilter().(type) {
	case *api.ReadReq_Options_FilterOptions_StreamIdentifier:
		e = by.StreamIdentifier
	case *api.ReadReq_Options_FilterOptions_EventType:
		e, f.byType = by.EventType, true
	default:
		return nil, invalid("a filter is by stream or by event type")
	}
	switch window := o.GetWindow().(type) {
	case *api.ReadReq_Options_FilterOptions_Max:
		f.window = uint64(window.Max)
	case *api.ReadReq_Options_FilterOptions_Count:
	default:
		return nil, invalid("a filter has a window")
	}
	f.interval = f.window * uint64(o.GetCheckpointIntervalMultiplier())
	return f, f.express(e)
}

// express takes the expression, of which the regular one counts when there are both, as it does in EventStoreDB.
func (f *filter) express(e *api.ReadReq_Options_FilterOptions_Expression) (err error) {
	size := len(e.GetRegex())
	for _, p := range e.GetPrefix() {
		size += len(p) + 1
	}
	switch {
	case size == 0:
		return invalid("a filter has an expression: a regular one, or prefixes")
	case size > maxExpression:
		return invalid("a filter's expression has at most %d bytes", maxExpression)
	case e.GetRegex() != "":
		f.regex, err = compile(e.GetRegex())
		return err
	default:
		f.prefixes = e.GetPrefix()
	}
	return nil
}

// compile makes a regular expression that is small enough. It is measured before it is compiled, which is what costs.
func compile(text string) (*regexp.Regexp, error) {
	if len(text) > maxRegex {
		return nil, invalid("a filter's regular expression has at most %d bytes", maxRegex)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil && instructions(parsed) > maxInstructions {
		return nil, invalid("a filter's regular expression becomes a program of at most %d instructions", maxInstructions)
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, invalid("a filter's regular expression is of RE2, which has no look-around and no back-references: %v", err)
	}
	return compiled, nil
}

// instructions are no fewer than the compiled expression has, and hardly more. Repetitions, which the compiler writes out,
// are multiplied; the parser bounds them so that the product does not overflow.
func instructions(e *syntax.Regexp) (n int) {
	for _, sub := range e.Sub {
		n += instructions(sub)
	}
	switch e.Op {
	case syntax.OpLiteral:
		n = len(e.Rune)
	case syntax.OpCapture, syntax.OpStar:
		n += 2
	case syntax.OpPlus, syntax.OpQuest:
		n++
	case syntax.OpAlternate:
		n += len(e.Sub) - 1
	case syntax.OpRepeat:
		if e.Max < 0 { // x{2,} is xx+
			n = max(e.Min, 1)*n + 2
		} else { // x{2,4} is xx(x(x)?)?
			n = e.Max*n + e.Max - e.Min
		}
	default: // what is one instruction, or none beyond those of its parts
	}
	return max(n, 1)
}

// store is what the store can do of the filter by itself: prefixes of streams.
func (f *filter) store() eventstore.Filter {
	if f == nil || f.byType || f.regex != nil {
		return eventstore.Filter{}
	}
	return eventstore.Filter{StreamPrefixes: f.prefixes}
}

// passes tells whether an event is to be shown. What stores keep for themselves is not, whatever is asked for.
func (f *filter) passes(e *eventstore.Recorded) bool {
	if eventstore.Own(e.Stream) {
		return false
	}
	if f == nil {
		return true
	}
	text := e.Stream
	if f.byType {
		text = e.Type
	}
	if f.regex != nil {
		return f.regex.MatchString(text)
	}
	return slices.ContainsFunc(f.prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
}
