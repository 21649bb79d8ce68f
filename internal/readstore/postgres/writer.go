package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// writer is the writing connection, with what is prepared on it.
type writer struct {
	conn     *pgconn.PgConn
	prepared map[string]string // statement → its name
}

// connect opens the writing connection when there is none.
func (db *DB) connect(ctx context.Context) error {
	if db.writer != nil && !db.writer.conn.IsClosed() {
		return nil
	}
	config := db.config.ConnConfig.Copy()
	config.RuntimeParams["application_name"] = db.Name
	config.RuntimeParams["synchronous_commit"] = "off"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = idleInTransaction
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return failure(err)
	}
	db.writer = &writer{conn: conn, prepared: map[string]string{}}
	return nil
}

func (db *DB) disconnect() {
	if db.writer == nil {
		return
	}
	hangUp(db.writer.conn)
	db.writer = nil
}

// Write implements readstore.DB.
func (db *DB) Write(ctx context.Context, fn func(readstore.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return failure(ctx.Err())
	}
	return db.write(ctx, fn)
}

// write is Write for who has the writer.
func (db *DB) write(ctx context.Context, fn func(readstore.Tx) error) error {
	if db.closed.Load() {
		return readstore.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return failure(err)
	}
	if err := db.connect(ctx); err != nil {
		return err
	}
	t := &tx{ctx: ctx, db: db, writer: db.writer, queued: []operation{{sql: "BEGIN"}}}
	done := false
	defer func() {
		if !done { // also when fn panics
			t.rollback()
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	if err := t.Flush(); err != nil {
		return err
	}
	done = true
	return t.commit()
}

// tx is a transaction of the writer. What is queued has not been sent.
type tx struct {
	ctx    context.Context
	db     *DB
	writer *writer
	queued []operation
	begun  bool
}

// operation is a statement with its parameters.
type operation struct {
	sql     string
	values  [][]byte
	formats []int16 // nil: all are text
	exactly *int64  // as many rows it has to change
	table   string  // that it writes
}

// commit ends the transaction. The answer to COMMIT in one that has failed is not an error, but another word.
func (t *tx) commit() error {
	results, err := t.writer.conn.Exec(t.ctx, "COMMIT").ReadAll()
	if err != nil {
		t.db.disconnect()
		return failure(err)
	}
	if said := results[0].CommandTag.String(); said != "COMMIT" {
		return fmt.Errorf("postgres: the answer to COMMIT was %s", said)
	}
	return nil
}

func (t *tx) rollback() {
	if !t.begun || t.writer.conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), connectTimeout)
	defer cancel()
	if err := t.writer.conn.Exec(ctx, "ROLLBACK").Close(); err != nil {
		t.db.disconnect()
	}
}

// Exec implements readstore.Tx.
func (t *tx) Exec(query string, args ...any) (int64, error) {
	op, err := t.operation(query, args)
	if err != nil {
		return 0, err
	}
	t.queued = append(t.queued, op)
	return t.flush()
}

// One implements readstore.Tx.
func (t *tx) One(query string, args ...any) error { return t.Exactly(1, query, args...) }

// Exactly implements readstore.Tx.
func (t *tx) Exactly(n int64, query string, args ...any) error {
	op, err := t.operation(query, args)
	if err != nil {
		return err
	}
	op.exactly = &n
	t.queued = append(t.queued, op)
	return nil
}

// Put implements readstore.Tx.
func (t *tx) Put(rows readstore.Staged) error {
	for _, w := range rows.(*staged).writes {
		if w.copy == nil {
			t.queued = append(t.queued, w.operation)
			continue
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if _, err := t.writer.conn.CopyFrom(t.ctx, bytes.NewReader(w.copy), w.sql); err != nil {
			return fmt.Errorf("write %s: %w", w.table, failure(err))
		}
	}
	return nil
}

// Flush implements readstore.Tx.
func (t *tx) Flush() error {
	_, err := t.flush()
	return err
}

// flush sends what is queued and reads the answers. It tells how many rows the last statement changed.
func (t *tx) flush() (changed int64, err error) {
	if len(t.queued) == 0 {
		return 0, nil
	}
	for _, op := range t.queued {
		if err := t.writer.prepare(t.ctx, op.sql); err != nil {
			return 0, failure(err)
		}
	}
	t.begun = true
	pipeline := t.writer.conn.StartPipeline(t.ctx)
	for _, op := range t.queued {
		pipeline.SendQueryPrepared(t.writer.prepared[op.sql], op.values, op.formats, nil)
	}
	err = pipeline.Sync()
	for i := 0; err == nil && i < len(t.queued); i++ {
		changed, err = t.queued[i].result(pipeline)
	}
	err = errors.Join(err, failure(pipeline.Close()))
	t.queued = t.queued[:0]
	return changed, err
}

func (op *operation) result(pipeline *pgconn.Pipeline) (int64, error) {
	results, err := pipeline.GetResults()
	if reader, ok := results.(*pgconn.ResultReader); ok && err == nil {
		var tag pgconn.CommandTag
		if tag, err = reader.Close(); err == nil {
			if op.exactly != nil && tag.RowsAffected() != *op.exactly {
				return 0, fmt.Errorf("%w: %d for %d", readstore.ErrNotOne, tag.RowsAffected(), *op.exactly)
			}
			return tag.RowsAffected(), nil
		}
	}
	if op.table != "" {
		return 0, fmt.Errorf("write %s: %w", op.table, failure(err))
	}
	return 0, failure(err)
}

func (w *writer) prepare(ctx context.Context, sql string) error {
	if _, ok := w.prepared[sql]; ok {
		return nil
	}
	name := "w" + strconv.Itoa(len(w.prepared))
	if _, err := w.conn.Prepare(ctx, name, sql, nil); err != nil {
		return err
	}
	w.prepared[sql] = name
	return nil
}

// operation makes a statement whose parameters are text.
func (t *tx) operation(query string, args []any) (operation, error) {
	op := operation{sql: t.db.numbered(query), values: make([][]byte, len(args)), formats: make([]int16, len(args))}
	for i, a := range args {
		switch v := a.(type) {
		case nil:
		case string:
			op.values[i] = []byte(v)
		case int:
			op.values[i] = strconv.AppendInt([]byte{}, int64(v), 10)
		case int64:
			op.values[i] = strconv.AppendInt([]byte{}, v, 10)
		case bool:
			op.values[i] = strconv.AppendBool([]byte{}, v)
		case readstore.Time:
			if !v.IsZero() {
				op.values[i] = v.UTC().AppendFormat([]byte{}, "2006-01-02 15:04:05.999999Z07:00")
			}
		case readstore.List:
			op.values[i], op.formats[i] = list(v), 1
		default:
			return op, fmt.Errorf("readstore: a parameter cannot be a %T", a)
		}
	}
	return op, nil
}

func list(l readstore.List) []byte {
	if l.Texts == nil && l.Ints != nil {
		b := arrayHeader(nil, oidInt8, len(l.Ints))
		for _, n := range l.Ints {
			b = appendInt8(b, n)
		}
		return b
	}
	b := arrayHeader(nil, oidText, len(l.Texts))
	for _, text := range l.Texts {
		b = appendText(b, text)
	}
	return b
}
