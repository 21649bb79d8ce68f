package embedded

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// lookEvery is how soon a read-only store sees what another process has appended.
const lookEvery = 50 * time.Millisecond

// OpenReadOnly opens the event store in the file at path for reading beside a server that writes it, or without one.
// Append refuses with ErrReadOnly; followers see new events within 50 ms.
func OpenReadOnly(ctx context.Context, path string, opts ...Option) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	s, err := newStore(path, opts)
	if err != nil {
		return nil, err
	}
	if err := s.look(ctx); err != nil {
		s.closeErr = s.readers.close()
		return nil, fmt.Errorf("open event store: %w", err)
	}
	go s.follow()
	return s, nil
}

// look moves the head to where the file ends.
func (s *Store) look(ctx context.Context) error {
	return s.readers.use(ctx, func(r *reader) error {
		last, err := r.lastPosition()
		if err == nil {
			s.tail.advance(last)
		}
		return err
	})
}

// follow looks at the file again and again until the store is closed.
func (s *Store) follow() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.closed:
			s.closeErr = s.readers.close()
			close(s.gone)
			return
		case <-ticker.C:
			if err := s.look(context.Background()); err != nil {
				s.opts.logger.Warn("event store cannot look for new events", "error", err)
			}
		}
	}
}

var _ eventstore.Store = (*Store)(nil)
