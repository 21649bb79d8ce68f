package datadoc_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/internal/dictionary"
	"github.com/chatwatch/chatwatch/internal/dictionary/datadoc"
	"github.com/chatwatch/chatwatch/internal/readstore/postgrestest"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

var write = flag.Bool("write", false, "write the page instead of comparing it")

const path = "../../../docs/data-dictionary.md"

func TestTheDictionaryInDocsIsFresh(t *testing.T) {
	url := postgrestest.Database(t)
	page, err := datadoc.Render(context.Background(), projectiontest.OpenPostgres(t, url))
	if err != nil {
		t.Fatal(err)
	}
	if *write {
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, page) {
		t.Error("docs/data-dictionary.md is not what the database says: run go generate ./internal/dictionary")
	}
	for _, m := range dictionary.Measures() {
		if !strings.Contains(string(page), "\n### "+m.Name+"\n") {
			t.Errorf("%s is missing", m.Name)
		}
	}
}
