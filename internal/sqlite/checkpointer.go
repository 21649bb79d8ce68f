package sqlite

import (
	"errors"
	"log/slog"
)

// CheckpointOptions of a Checkpointer. Frames are pages in the write-ahead log.
type CheckpointOptions struct {
	// Soft is from how many frames the log is moved into the file; Hard is from how many a log that cannot be shortened
	// is worth a warning.
	Soft, Hard int
	// WaitMillis is how long the writer may stand still for readers to leave the log.
	WaitMillis int
	Logger     *slog.Logger
}

// Checkpointer keeps the write-ahead log of a database short. When it has grown, a connection of its own moves the bulk
// of it into the file beside the writer; then, between two commits, the little that came meanwhile, so that the log
// starts anew. A log that is written over costs the disk less than one that grows.
type Checkpointer struct {
	CheckpointOptions
	conn  *Conn
	bulk  chan struct{} // one slot: asks for the bulk
	moved chan error    // one slot: the bulk has been moved
	busy  bool          // between the two; the goroutine has the connection
	floor int           // frames from which the next bulk is worth it
	ended chan struct{}
}

// NewCheckpointer starts a checkpointer of the database at path.
func NewCheckpointer(path string, o CheckpointOptions) (*Checkpointer, error) {
	conn, err := Open(path, ReadWrite, o.WaitMillis)
	if err != nil {
		return nil, err
	}
	// A connection that has not read the file does not know of its log, and its checkpoints do nothing.
	if _, err := conn.Int("PRAGMA schema_version"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &Checkpointer{
		CheckpointOptions: o, conn: conn, floor: o.Soft,
		bulk: make(chan struct{}, 1), moved: make(chan error, 1), ended: make(chan struct{}),
	}
	go c.run()
	return c, nil
}

// run moves the bulk whenever asked, until bulk is closed.
func (c *Checkpointer) run() {
	defer close(c.ended)
	for range c.bulk {
		c.moved <- c.conn.Checkpoint(true)
	}
}

// AfterCommit is called by the writer, between two transactions, with the length of the log.
func (c *Checkpointer) AfterCommit(frames int) {
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

func (c *Checkpointer) finish(frames int, err error) {
	if err == nil {
		err = c.conn.Checkpoint(false)
	}
	if err == nil {
		c.floor = c.Soft
		return
	}
	c.floor = frames + c.Soft // somebody reads for long, or the disk is full: not again at once
	if !Busy(err) || frames > c.Hard {
		c.Logger.Warn("a database cannot shorten its write-ahead log", "pages", frames, "error", err)
	}
}

// Close ends the checkpointer; the writer has ended before.
func (c *Checkpointer) Close() error {
	close(c.bulk)
	<-c.ended
	return c.conn.Close()
}
