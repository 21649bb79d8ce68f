package projections

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// DefaultMemory is how many streams a projection remembers the state of.
const DefaultMemory = 32 << 10

// Loaded is the state of a stream as its rows tell it.
type Loaded[S any] struct {
	State S
	// Next is the revision of the stream that has not been folded yet.
	Next uint64
}

// Definition of a projection that folds each stream by itself, with a state S of its own.
type Definition[S any] struct {
	// Name is the identity of the checkpoint; it never changes.
	Name string
	// Version of the fold and its tables. Whoever changes what the rows hold makes it one more: the rows of another version
	// are built anew beside the live ones, which the changed fold must be able to go on with meanwhile. From 1; 0 means 1.
	Version int64
	// Prefixes of the streams that are folded.
	Prefixes []string
	// Load reads the states of streams from their rows. A stream without rows is left out.
	Load func(ctx context.Context, q readstore.Queryer, streams []string) (map[string]Loaded[S], error)
	// Prepare reads what a fold of these events needs besides the state; may be nil.
	Prepare func(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) error
	// Fold takes the next event of a stream into its state, which is zero at the first, and fills buffers. When it fails or
	// panics, the batch is folded again without the event.
	Fold func(s *S, e *eventcodec.Envelope) error
	// Emit fills buffers at the end of a batch, once for each stream with events in it; may be nil.
	Emit func(s *S)
	// Buffers that are filled, in the order of writing.
	Buffers []Buffer
	// Memory is how many streams are remembered between batches; DefaultMemory when 0.
	Memory int
}

// Projection keeps tables that follow from the log. It is used by one goroutine, an engine's.
type Projection interface {
	Name() string
	version() int64
	// Tables are those that it writes, alone.
	Tables() []string
	handles(stream string) bool
	err() error
	// fold collects the rows of events, which follow those of the call before. What could not be folded is told; then
	// everything must be forgotten, and folded again without it.
	fold(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) ([]failure, error)
	// sets are the rows that were collected.
	sets() []readstore.Set
	done()   // what was collected is staged, or stored
	forget() // nothing was
}

// failure is an event that cannot be folded.
type failure struct {
	stream   string
	revision uint64
	cause    string
}

// New makes a projection.
func New[S any](d Definition[S]) Projection {
	if d.Memory == 0 {
		d.Memory = DefaultMemory
	}
	p := &streams[S]{Definition: d}
	p.forget()
	return p
}

type streams[S any] struct {
	Definition[S]
	memory  *simplelru.LRU[string, *entry[S]]
	states  []*entry[S] // of the events of the batch, one for each
	touched []*entry[S]
	batch   uint64
}

type entry[S any] struct {
	Loaded[S]
	batch uint64
}

func (p *streams[S]) Name() string { return p.Definition.Name }

func (p *streams[S]) version() int64 { return max(1, p.Definition.Version) }

func (p *streams[S]) Tables() []string {
	var names []string
	for _, b := range p.Buffers {
		if name := b.Table(); !slices.Contains(names, name) { // one that is written in two ways
			names = append(names, name)
		}
	}
	return names
}

func (p *streams[S]) handles(stream string) bool {
	for _, prefix := range p.Prefixes {
		if strings.HasPrefix(stream, prefix) {
			return true
		}
	}
	return false
}

func (p *streams[S]) err() error {
	var err error
	for _, b := range p.Buffers {
		err = errors.Join(err, b.Err())
	}
	return err
}

func (p *streams[S]) fold(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) ([]failure, error) {
	p.batch++
	for p.memory.Len() > p.Memory { // between batches: what one touches must stay until it is staged
		p.memory.RemoveOldest()
	}
	if err := p.load(ctx, q, events); err != nil {
		return nil, fmt.Errorf("%s: load: %w", p.Name(), err)
	}
	if p.Prepare != nil {
		if err := p.Prepare(ctx, q, events); err != nil {
			return nil, fmt.Errorf("%s: prepare: %w", p.Name(), err)
		}
	}
	var failures []failure
	failed := map[string]bool{}
	for i, e := range events {
		if len(failed) > 0 && failed[e.Stream] {
			continue
		}
		if cause := p.one(p.states[i], e); cause != "" {
			failed[e.Stream] = true
			failures = append(failures, failure{e.Stream, e.Revision, cause})
		}
	}
	if len(failures) == 0 && p.Emit != nil {
		for _, t := range p.touched {
			p.Emit(&t.State)
		}
	}
	return failures, nil
}

// load makes the stream of every event known.
func (p *streams[S]) load(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) error {
	var missing []string
	p.states = p.states[:0]
	for _, e := range events {
		s, known := p.memory.Get(e.Stream)
		if !known {
			s = &entry[S]{}
			p.memory.Add(e.Stream, s)
			if e.Revision > 0 { // otherwise it has just begun
				missing = append(missing, e.Stream)
			}
		}
		p.states = append(p.states, s)
	}
	if len(missing) == 0 {
		return nil
	}
	loaded, err := p.Load(ctx, q, missing)
	if err != nil {
		return err
	}
	for stream, l := range loaded {
		if s, ok := p.memory.Peek(stream); ok {
			s.Loaded = l
		}
	}
	return nil
}

// one folds an event, and tells why it cannot be.
func (p *streams[S]) one(s *entry[S], e *eventcodec.Envelope) (cause string) {
	defer func() {
		if r := recover(); r != nil {
			cause = "the fold panicked" // the value might hold what somebody wrote
			if err, ok := r.(runtime.Error); ok {
				cause += ": " + err.Error()
			}
		}
	}()
	if e.Revision != s.Next {
		return fmt.Sprintf("revision %d was expected", s.Next)
	}
	if err := p.Fold(&s.State, e); err != nil {
		return err.Error()
	}
	s.Next++
	if s.batch != p.batch {
		s.batch = p.batch
		p.touched = append(p.touched, s)
	}
	return ""
}

func (p *streams[S]) sets() []readstore.Set {
	var sets []readstore.Set
	for _, b := range p.Buffers {
		sets = append(sets, b.sets()...)
	}
	return sets
}

func (p *streams[S]) done() { p.clear() }

func (p *streams[S]) forget() {
	p.clear()
	p.memory, _ = simplelru.NewLRU[string, *entry[S]](1<<31-1, nil) // fails for a size below 1 only
}

func (p *streams[S]) clear() {
	for _, b := range p.Buffers {
		b.reset()
	}
	clear(p.states)
	clear(p.touched)
	p.states, p.touched = p.states[:0], p.touched[:0]
}

// NotOfStream is the failure of a fold that meets an event of another kind of stream.
func NotOfStream(e *eventcodec.Envelope) error {
	return fmt.Errorf("%s does not belong to the stream", e.Type)
}

// IDs takes the prefix off the names of streams.
func IDs(streams []string, prefix string) []string {
	ids := make([]string, len(streams))
	for i, s := range streams {
		ids[i] = strings.TrimPrefix(s, prefix)
	}
	return ids
}
