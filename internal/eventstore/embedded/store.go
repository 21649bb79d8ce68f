package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/sqlite"
)

// ErrInUse is the answer of Open when another process, or another Store of this one, writes the file.
var ErrInUse = errors.New("embedded: event store is in use by another process")

// ErrReadOnly is the answer of Append on a store that was opened with OpenReadOnly.
var ErrReadOnly = fmt.Errorf("%w: event store is open for reading only", eventstore.ErrInvalid)

var _ eventstore.Store = (*Store)(nil)

// Store is an event store in a file.
type Store struct {
	path       string
	opts       options
	lock       *os.File
	tail       tail
	readers    *pool
	writer     *writer // nil when read-only, as are lock and checkpoint
	checkpoint *sqlite.Checkpointer
	requests   sync.Pool // of *request; the store's own, so that its channels stay with those who use the store

	mu       sync.Mutex // guards closing against appends that begin
	closing  bool
	inFlight sync.WaitGroup // appends, and goroutines
	closed   chan struct{}  // readers and followers end
	gone     chan struct{}  // Close has done everything
	closeErr error
}

// Open opens the event store in the file at path for writing and reading, and makes the file when there is none. Its
// directory exists. Another writer of the file is answered with ErrInUse.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := newStore(path, opts)
	if err != nil {
		return nil, err
	}
	if s.lock, err = lockFile(s.path); err != nil {
		return nil, err
	}
	if err := s.openWriting(); err != nil {
		_ = s.lock.Close()
		return nil, fmt.Errorf("open event store: %w", err)
	}
	return s, nil
}

func newStore(path string, opts []Option) (*Store, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	s := &Store{path: absolute, opts: defaults(), closed: make(chan struct{}), gone: make(chan struct{})}
	for _, o := range opts {
		o(&s.opts)
	}
	s.tail.maxEvents, s.tail.maxBytes = s.opts.tailEvents, s.opts.tailBytes
	s.readers = newPool(s.path, s.opts.readers, s.closed)
	s.requests.New = func() any { return &request{done: make(chan struct{}, 1)} }
	return s, nil
}

func (s *Store) openWriting() error {
	conn, err := openWriter(s.path)
	if err != nil {
		return err
	}
	s.checkpoint, err = sqlite.NewCheckpointer(s.path, sqlite.CheckpointOptions{
		Soft: softFrames, Hard: hardFrames, WaitMillis: checkpointWaitMillis, Logger: s.opts.logger,
	})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	s.writer, err = newWriter(conn, s.opts, &s.tail, s.checkpoint)
	if err != nil {
		return errors.Join(err, s.checkpoint.Close(), conn.Close())
	}
	go s.write()
	return nil
}

// write runs the writer, and after it frees what it used.
func (s *Store) write() {
	s.writer.run()
	s.closeErr = errors.Join(s.checkpoint.Close(), s.readers.close(), s.writer.conn.Close(), s.lock.Close())
	close(s.gone)
}

// Append adds events to the end of a stream, durably before it returns. When ctx ends first it returns ctx.Err() at
// once; the events may still be stored, and a retry with the same ids and expectation finds out.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Expected, events []eventstore.Event) (eventstore.Appended, error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Appended{}, err
	}
	if s.writer == nil {
		return eventstore.Appended{}, ErrReadOnly
	}
	r := s.requests.Get().(*request)
	if err := r.take(ctx, stream, expected, events); err != nil {
		s.requests.Put(r)
		return eventstore.Appended{}, err
	}
	if !s.enter() {
		return eventstore.Appended{}, eventstore.ErrClosed
	}
	defer s.inFlight.Done()
	select {
	case s.writer.requests <- r:
	case <-ctx.Done():
		return eventstore.Appended{}, ctx.Err()
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return eventstore.Appended{}, ctx.Err() // the writer still has r
	}
	appended, err := r.appended, r.err
	r.release()
	s.requests.Put(r)
	return appended, err
}

// enter counts an append in, unless the store is closing.
func (s *Store) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.inFlight.Add(1)
	}
	return !s.closing
}

// Head is the position of the last committed event.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	if err := s.readers.usable(ctx); err != nil {
		return eventstore.Start, err
	}
	if s.writer == nil {
		if err := s.look(ctx); err != nil {
			return eventstore.Start, err
		}
	}
	return s.tail.last(), nil
}

// Close ends subscriptions and reads, waits for the appends under way to be answered, and frees the file.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closing
	s.closing = true
	s.mu.Unlock()
	if first {
		s.inFlight.Wait()
		close(s.closed)
		if s.writer != nil {
			close(s.writer.requests)
		}
	}
	<-s.gone
	return s.closeErr
}
