package api

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// Bounds of a page of a list.
const (
	defaultPage = 100
	maxPage     = 500
)

// list is a page of things, and how to go on.
type list[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// page reads limit and cursor. The cursor of a list is the key of the last thing before it, sealed.
func (c *call) page(purpose string) (after string, limit int, err error) {
	if err := c.checkQuery(); err != nil {
		return "", 0, err
	}
	if limit, err = c.limit(defaultPage, maxPage); err != nil {
		return "", 0, err
	}
	if cursor := c.query("cursor"); cursor != "" {
		if after, err = c.Seals.OpenText(purpose, cursor); err != nil {
			return "", 0, invalid("cursor is not one that was given out here")
		}
	}
	return after, limit, nil
}

// numbered is page for a list whose key is a number that counts more than the caller may know: 0 from the beginning.
func (c *call) numbered(purpose string) (before int64, limit int, err error) {
	after, limit, err := c.page(purpose)
	if err != nil || after == "" {
		return 0, limit, err
	}
	if before, err = strconv.ParseInt(after, 10, 64); err != nil {
		return 0, 0, invalid("cursor is not one that was given out here")
	}
	return before, limit, nil
}

// numberKey has the same length for every number, and so has its seal.
func numberKey(n int64) string { return fmt.Sprintf("%020d", n) }

// errHidden leaves a row out of a page: the caller may not see it any more.
var errHidden = errors.New("api: hidden")

// paged makes the answer of a list. rows may hold one more than the page, which says that there is more.
func paged[R, T any](c *call, purpose string, rows []R, limit int, key func(R) string, show func(R) (T, error)) (*reply, error) {
	out := list[T]{Items: make([]T, 0, min(len(rows), limit))}
	if len(rows) > limit {
		rows = rows[:limit]
		cursor := c.Seals.SealText(purpose, key(rows[limit-1]))
		out.NextCursor = &cursor
	}
	for _, row := range rows {
		item, err := show(row)
		if errors.Is(err, errHidden) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return ok(out), nil
}

// recent waits until lists hold what this node has acknowledged.
func (c *call) recent() error {
	return c.catchUp(eventstore.Position(c.written.Load()), c.Limits.ListWait)
}
