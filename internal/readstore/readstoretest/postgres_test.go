package readstoretest

import (
	"errors"
	"strings"
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

func TestASwapTellsOfAViewThatIsNotOfTheProduct(t *testing.T) {
	db := openPostgres(t, postgrestest.Database(t))
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	write(t, db, func(tx readstore.Tx) error {
		_, err := tx.Exec("CREATE VIEW own_report AS SELECT session_id FROM transcript_session")
		return err
	})
	tables := []string{"transcript_session", "transcript_entry"}
	beside, err := db.Beside(ctx, tables)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	swap := func() error {
		return beside.Swap(ctx, tables, func(_ readstore.Tx, adopt func() error) error { return adopt() })
	}
	if err := swap(); err == nil || !strings.Contains(err.Error(), "own_report") {
		t.Errorf("got %v, want the name of the view", err)
	}
	write(t, db, func(tx readstore.Tx) error {
		_, err := tx.Exec("DROP VIEW own_report")
		return err
	})
	if err := swap(); err != nil {
		t.Error(err)
	}
}
