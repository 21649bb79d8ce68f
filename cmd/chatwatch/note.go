package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// note is where it is kept which log something was folded from.
type note interface {
	// last is what was noted, the zero origin when nothing was.
	last(ctx context.Context) (origin, error)
	// keep notes it. When another process has noted another log meanwhile, that one stays.
	keep(ctx context.Context, o origin) error
}

// note of the read models: beside the file, or in the database.
func (e *environment) noteOf(db readstore.DB) note {
	if e.Database != "" {
		return tableNote{db}
	}
	return e.fileNote()
}

// fileNote is of the data directory: of the snapshots, and of the read models that are in it.
func (e *environment) fileNote() fileNote { return fileNote{filepath.Join(e.DataDir, "log.json")} }

type fileNote struct{ path string }

func (n fileNote) last(context.Context) (o origin, err error) {
	data, err := os.ReadFile(n.path)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &o)
	}
	if err != nil {
		return o, fmt.Errorf("read which log the data directory is of: %w", err)
	}
	return o, nil
}

// keep replaces the note at once: a reader finds the old one or the new one.
func (n fileNote) keep(_ context.Context, o origin) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = writeDurably(n.path+".new", append(data, '\n'))
	}
	if err == nil {
		err = os.Rename(n.path+".new", n.path)
	}
	if err != nil {
		return fmt.Errorf("keep which log the data directory is of: %w", err)
	}
	return nil
}

// writeDurably writes a file that is whole after a power cut, when it is there.
func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// tableNote is a row of log_origin.
type tableNote struct{ db readstore.DB }

func (n tableNote) last(ctx context.Context) (o origin, err error) {
	rows, err := n.db.Query(ctx, "SELECT store, coalesce(first_event, ''), first_position FROM log_origin ORDER BY store LIMIT 1")
	found, err := readstore.Collect(rows, err, func(rows readstore.Rows) (o origin, err error) {
		var first string
		var at int64
		if err := rows.Scan(&o.Store, &first, &at); err != nil || first == "" {
			return o, err
		}
		o.At = eventstore.Position(at)
		o.First, err = uuid.Parse(first)
		return o, err
	})
	if err != nil {
		return o, fmt.Errorf("read which log the read models are of: %w", err)
	}
	if len(found) > 0 {
		o = found[0]
	}
	return o, nil
}

func (n tableNote) keep(ctx context.Context, o origin) error {
	err := n.db.Write(ctx, func(tx readstore.Tx) error {
		if o.First == uuid.Nil { // of a log that is empty: whatever was noted is of one that is gone
			if _, err := tx.Exec("DELETE FROM log_origin"); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO log_origin (store, first_event, first_position) VALUES (?, NULL, 0)", o.Store)
			return err
		}
		const insert = `INSERT INTO log_origin (store, first_event, first_position) VALUES (?, ?, ?)
			ON CONFLICT (store) DO UPDATE SET first_event = excluded.first_event, first_position = excluded.first_position
			WHERE log_origin.first_event IS NULL`
		_, err := tx.Exec(insert, o.Store, o.First.String(), int64(o.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep which log the read models are of: %w", err)
	}
	return nil
}
