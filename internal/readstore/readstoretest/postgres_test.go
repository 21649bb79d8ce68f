package readstoretest

import (
	"errors"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/internal/readstore/postgres"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
)

func openPostgres(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(ctx, url, postgres.Options{Logger: quiet, Name: t.Name()[:min(40, len(t.Name()))]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPostgreSQL(t *testing.T) {
	Run(t, func(t *testing.T) readstore.DB { return openPostgres(t, postgrestest.Database(t)) })
}

func TestNodesThatStartTogetherMigrateInTurn(t *testing.T) {
	url := postgrestest.Database(t)
	var group errgroup.Group
	for range 4 {
		db := openPostgres(t, url)
		group.Go(func() error { return errors.Join(db.Migrate(ctx), db.Migrate(ctx)) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
