package projections

import "github.com/chatwatch/chatwatch/internal/readstore"

// Buffer holds rows of one table between the fold of a batch and its transaction.
type Buffer interface {
	// Table is the table's name; Err tells what is wrong with its description.
	Table() string
	Err() error
	sets() []readstore.Set
	reset()
}

// slabRows is how many rows a Lines buffer allocates at a time.
const slabRows = 256

// Lines are rows that are written once. Their memory is used again after the transaction.
type Lines[R any] struct {
	table *readstore.Table[R]
	slabs [][]R
	rows  []*R
}

// NewLines makes the buffer of a table of kind Append.
func NewLines[R any](table *readstore.Table[R]) *Lines[R] { return &Lines[R]{table: table} }

// Add gives a zero row to fill in. It belongs to the buffer.
func (l *Lines[R]) Add() *R {
	n := len(l.rows)
	if n/slabRows == len(l.slabs) {
		l.slabs = append(l.slabs, make([]R, slabRows))
	}
	row := &l.slabs[n/slabRows][n%slabRows]
	l.rows = append(l.rows, row)
	return row
}

// Rows that have been added since the last transaction.
func (l *Lines[R]) Rows() []*R { return l.rows }

// Table is the name of the table.
func (l *Lines[R]) Table() string { return l.table.Name() }

// Err tells what is wrong with the row type.
func (l *Lines[R]) Err() error { return l.table.Err() }

func (l *Lines[R]) sets() []readstore.Set { return []readstore.Set{l.table.Set(l.rows)} }

func (l *Lines[R]) reset() {
	for _, slab := range l.slabs {
		clear(slab)
	}
	l.rows = l.rows[:0]
}

// States are rows that are loaded, folded and replaced. A fold keeps the rows in its state.
type States[R any] struct {
	table *readstore.Table[R]
	fresh []*R
	rows  []*R // that have changed
	put   map[*R]struct{}
}

// NewStates makes the buffer of a table of kind State.
func NewStates[R any](table *readstore.Table[R]) *States[R] {
	return &States[R]{table: table, put: map[*R]struct{}{}}
}

// Add notes a row that is new: one of its key is in the table neither now nor in this batch.
func (s *States[R]) Add(row *R) {
	s.put[row] = struct{}{}
	s.fresh = append(s.fresh, row)
}

// Put notes that a row has changed. It is written once, as it is at the end of the batch; two rows of the same key in one
// batch are a mistake.
func (s *States[R]) Put(row *R) {
	if _, ok := s.put[row]; ok {
		return
	}
	s.put[row] = struct{}{}
	s.rows = append(s.rows, row)
}

// Table is the name of the table.
func (s *States[R]) Table() string { return s.table.Name() }

// Err tells what is wrong with the row type.
func (s *States[R]) Err() error { return s.table.Err() }

func (s *States[R]) sets() []readstore.Set {
	return []readstore.Set{s.table.SetAs(readstore.Append, s.fresh), s.table.Set(s.rows)}
}

func (s *States[R]) reset() {
	clear(s.fresh)
	clear(s.rows)
	clear(s.put)
	s.fresh, s.rows = s.fresh[:0], s.rows[:0]
}

// Counters are rows that are added to and never loaded.
type Counters[K comparable, R any] struct {
	table *readstore.Table[R]
	keyed func(K) R
	rows  []*R
	byKey map[K]*R
}

// NewCounters makes the buffer of a table of kind Counter. keyed makes the row of a key, with zeros.
func NewCounters[K comparable, R any](table *readstore.Table[R], keyed func(K) R) *Counters[K, R] {
	return &Counters[K, R]{table: table, keyed: keyed, byKey: map[K]*R{}}
}

// At is the row of a key, whose columns are what is added with this batch.
func (c *Counters[K, R]) At(key K) *R {
	if row, ok := c.byKey[key]; ok {
		return row
	}
	row := c.keyed(key)
	c.byKey[key] = &row
	c.rows = append(c.rows, &row)
	return &row
}

// Table is the name of the table.
func (c *Counters[K, R]) Table() string { return c.table.Name() }

// Err tells what is wrong with the row type.
func (c *Counters[K, R]) Err() error { return c.table.Err() }

func (c *Counters[K, R]) sets() []readstore.Set { return []readstore.Set{c.table.Set(c.rows)} }

func (c *Counters[K, R]) reset() {
	clear(c.rows)
	clear(c.byKey)
	c.rows = c.rows[:0]
}
