package readstore

import (
	"errors"
	"log/slog"

	"github.com/chatwatch/chatwatch/internal/eventstore/embedded/sqlite"
)

const (
	softFrames   = 4 << 10 // pages in the write-ahead log from which it is moved into the database file
	hardFrames   = 64 << 10
	shrinkMillis = 20 // how long the writer may stand still for readers to leave the log
)

// shrinker keeps the write-ahead log short: a connection of its own moves the bulk beside the writer, and then, between
// two transactions, the rest, so that the log starts anew.
type shrinker struct {
	conn   *sqlite.Conn
	logger *slog.Logger
	bulk   chan struct{}
	moved  chan error
	busy   bool // between the two; the goroutine has the connection
	floor  int  // pages from which the next time is worth it
	ended  chan struct{}
}

func newShrinker(path string, logger *slog.Logger) (*shrinker, error) {
	conn, err := sqlite.Open(path, sqlite.ReadWrite, shrinkMillis)
	if err != nil {
		return nil, err
	}
	// A connection that has not read the file does not know of its WAL, and its checkpoints do nothing.
	if _, err := conn.Int("PRAGMA schema_version"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &shrinker{
		conn: conn, logger: logger, floor: softFrames,
		bulk: make(chan struct{}, 1), moved: make(chan error, 1), ended: make(chan struct{}),
	}
	go s.run()
	return s, nil
}

func (s *shrinker) run() {
	defer close(s.ended)
	for range s.bulk {
		s.moved <- s.conn.Checkpoint(true)
	}
}

// afterCommit is called by the writer with the length of the log in pages.
func (s *shrinker) afterCommit(pages int) {
	if !s.busy {
		if pages >= s.floor {
			s.busy = true
			s.bulk <- struct{}{}
		}
		return
	}
	select {
	case err := <-s.moved:
		s.busy = false
		s.finish(pages, err)
	default:
	}
}

func (s *shrinker) finish(pages int, err error) {
	if err == nil {
		err = s.conn.Checkpoint(false)
	}
	if err == nil {
		s.floor = softFrames
		return
	}
	s.floor = pages + softFrames // somebody reads for long, or the disk is full: not again at once
	if !sqlite.Busy(err) || pages > hardFrames {
		s.logger.Warn("read database cannot shorten its write-ahead log", "pages", pages, "err", err)
	}
}

func (s *shrinker) close() error {
	close(s.bulk)
	<-s.ended
	return s.conn.Close()
}
