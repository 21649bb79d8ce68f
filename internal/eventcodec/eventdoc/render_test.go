package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

func TestTheCatalogueInDocsIsFresh(t *testing.T) {
	want, err := render("../../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/events.md is not what the source says: run go generate ./internal/eventcodec")
	}
}

func TestEveryEventStandsOnThePageWithEveryField(t *testing.T) {
	page, err := render("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range eventcodec.Catalogue() {
		_, section, found := strings.Cut(string(page), "\n### "+d.Name+"\n")
		if !found {
			t.Errorf("%s is missing", d.Name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		for f := range d.Type.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || !strings.Contains(section, "| `"+name+"` |") {
				t.Errorf("%s: field %s (%q) is missing", d.Name, f.Name, name)
			}
		}
		if strings.Contains(section, "| object |") {
			t.Errorf("%s has a field whose type nobody explains", d.Name)
		}
	}
}
