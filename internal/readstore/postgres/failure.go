package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chatwatch/chatwatch/internal/readstore"
)

// failure translates an error of the client or the server: what is passing, what is the fault of a row, and what is left.
// What the server tells is reduced to its code and the names of table and constraint: its details quote rows.
func failure(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, readstore.ErrUnavailable) {
		return err
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		told := fmt.Errorf("postgres: %s %s", server.Code, server.Message)
		switch server.Code[:2] {
		// Data exception, integrity constraint, the same key twice in one statement, a value too large for an index.
		case "22", "23", "21", "54":
			return fmt.Errorf("%w: postgres: %s in %s %s", readstore.ErrRefused, server.Code, server.TableName, server.ConstraintName)
		case "08", "53", "57", "25": // connection, resources, operator, transaction state such as a standby's
			return fmt.Errorf("%w: %w", readstore.ErrUnavailable, told)
		}
		if server.Code == "40P01" || server.Code == "40001" || server.Code == "55P03" { // deadlock, serialization, lock timeout
			return fmt.Errorf("%w: %w", readstore.ErrUnavailable, told)
		}
		return told
	}
	network, isNetwork := errors.AsType[net.Error](err)
	connect, isConnect := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case isConnect:
		return fmt.Errorf("%w: %s", readstore.ErrUnavailable, reason(connect))
	case isNetwork && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", readstore.ErrUnavailable, network)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err),
		errors.Is(err, context.DeadlineExceeded), strings.Contains(err.Error(), "conn closed"):
		return fmt.Errorf("%w: %w", readstore.ErrUnavailable, err)
	}
	return err
}

// failed is failure of the reading connections, which have no word of their own for that they have been closed.
func (db *DB) failed(err error) error {
	if err != nil && db.closed.Load() {
		return readstore.ErrClosed
	}
	return failure(err)
}

// reason is why a connection failed, without the user and the address that it was tried with.
func reason(err *pgconn.ConnectError) string {
	inner := err.Unwrap()
	if server, ok := errors.AsType[*pgconn.PgError](inner); ok {
		return server.Code + " " + server.Message
	}
	if op, ok := errors.AsType[*net.OpError](inner); ok {
		return op.Error()
	}
	if inner == nil {
		return "no connection"
	}
	return inner.Error()
}

// withoutAddress drops the text of a parse error, which quotes the address with its password.
func withoutAddress(err error) error {
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return errors.New("the address is not one of PostgreSQL: it is like postgres://USER:PASSWORD@HOST:5432/DATABASE")
	}
	return err
}
