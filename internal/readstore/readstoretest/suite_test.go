package readstoretest

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/sqlitedb"
)

var quiet = slog.New(slog.DiscardHandler)

func TestSQLite(t *testing.T) {
	Run(t, func(t *testing.T) readstore.DB {
		db, err := sqlitedb.Open(ctx, filepath.Join(t.TempDir(), "a b?c#d'e.db"), quiet)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}

func TestProcessesThatStartTogetherMigrateInTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "read.db")
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			db, err := sqlitedb.Open(context.Background(), path, quiet)
			if err != nil {
				return err
			}
			return errors.Join(db.Migrate(ctx), db.Migrate(ctx), db.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestARowTypeThatCannotBeWrittenIsTold(t *testing.T) {
	type odd struct {
		Key   int64    `db:"key,key"`
		Float float32  `db:"f"`
		List  []string `db:"l"`
	}
	type keyless struct {
		Name string `db:"name"`
	}
	if readstore.NewTable[odd]("odd", readstore.State).Err() == nil || readstore.NewTable[keyless]("k", readstore.State).Err() == nil {
		t.Error("no error")
	}
}
