package readstoretest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
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

func TestARebuildTellsAtOnceOfAViewThatIsNotOfTheProduct(t *testing.T) {
	db := openPostgres(t, postgrestest.Database(t))
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	write(t, db, func(tx readstore.Tx) error {
		_, err := tx.Exec("CREATE VIEW own_report AS SELECT session_id FROM transcript_session")
		return err
	})
	tables := []string{"transcript_session", "transcript_entry"}
	if _, err := db.Beside(ctx, tables); err == nil || !strings.Contains(err.Error(), "own_report") {
		t.Errorf("got %v, want the name of the view", err)
	}
	write(t, db, func(tx readstore.Tx) error {
		_, err := tx.Exec("DROP VIEW own_report")
		return err
	})
	beside, err := db.Beside(ctx, tables)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if err := beside.Swap(ctx, tables, func(_ readstore.Tx, adopt func() error) error { return adopt() }); err != nil {
		t.Error(err)
	}
}

// A database that would refuse some of what people write, or show it to others as something else, is refused at the start; and so
// is a schema whose rebuild the server would put in the schema itself, because it cuts long names.
func TestADatabaseThatCannotServeIsRefused(t *testing.T) {
	url := postgrestest.Database(t)
	server, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close(ctx)
	name, long := "latin_"+strings.ToLower(rand.Text()[:12]), strings.Repeat("s", 60)
	for _, statement := range []string{
		"CREATE DATABASE " + name + " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "CREATE SCHEMA " + long,
	} {
		if _, err := server.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	defer server.Exec(ctx, "DROP DATABASE "+name)
	defer server.Exec(ctx, "DROP SCHEMA "+long)
	config := server.Config()
	for reason, address := range map[string]string{
		"LATIN1": fmt.Sprintf("host=%s port=%d user=%s dbname=%s", config.Host, config.Port, config.User, name),
		"longer": fmt.Sprintf("host=%s port=%d user=%s dbname=%s search_path=%s", config.Host, config.Port, config.User, config.Database, long),
	} {
		if _, err := postgres.Open(ctx, address, postgres.Options{Logger: quiet, Name: "test"}); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
