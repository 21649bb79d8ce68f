package embedded

import (
	"errors"
	"log/slog"

	"github.com/chatwatch/chatwatch/internal/eventstore/embedded/sqlite"
)

// checkpointer keeps the write-ahead log short. When it has grown, a connection of its own moves the bulk of it into the
// database file beside the writer; then the writer, between two commits, has it move the little that came meanwhile
// and start the WAL anew, which takes a moment only because readers hold the WAL for a page at most.
type checkpointer struct {
	conn   *sqlite.Conn
	logger *slog.Logger
	bulk   chan struct{} // one slot: asks for the bulk
	moved  chan error    // one slot: the bulk has been moved
	busy   bool          // between the two; the goroutine has the connection
	floor  int           // frames from which the next bulk is worth it
	ended  chan struct{}
}

func newCheckpointer(path string, logger *slog.Logger) (*checkpointer, error) {
	conn, err := sqlite.Open(path, sqlite.ReadWrite, checkpointWaitMillis)
	if err != nil {
		return nil, err
	}
	// A connection that has not read the file does not know of its WAL, and its checkpoints do nothing.
	if _, err := conn.Int("PRAGMA schema_version"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &checkpointer{
		conn:   conn,
		logger: logger,
		bulk:   make(chan struct{}, 1),
		moved:  make(chan error, 1),
		floor:  softFrames,
		ended:  make(chan struct{}),
	}, nil
}

// checkpointWaitMillis is how long the writer may stand still for readers to leave the WAL.
const checkpointWaitMillis = 200

// run moves the bulk whenever asked, until bulk is closed.
func (c *checkpointer) run() {
	defer close(c.ended)
	for range c.bulk {
		c.moved <- c.conn.Checkpoint(true)
	}
}

// afterCommit is called by the writer with the length of the WAL.
func (c *checkpointer) afterCommit(frames int) {
	if !c.busy {
		if frames >= c.floor {
			c.busy = true
			c.bulk <- struct{}{}
		}
		return
	}
	select {
	case err := <-c.moved:
		c.busy = false
		c.finish(frames, err)
	default:
	}
}

func (c *checkpointer) finish(frames int, err error) {
	if err == nil {
		err = c.conn.Checkpoint(false)
	}
	if err == nil {
		c.floor = softFrames
		return
	}
	c.floor = frames + softFrames // somebody reads for long, or the disk is full: not again at once
	if !sqlite.Busy(err) || frames > hardFrames {
		c.logger.Warn("event store cannot shorten its write-ahead log", "pages", frames, "err", err)
	}
}

// close ends the goroutine and the connection; the writer has ended before.
func (c *checkpointer) close() error {
	close(c.bulk)
	<-c.ended
	return c.conn.Close()
}
