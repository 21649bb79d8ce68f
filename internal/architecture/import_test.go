package architecture

import (
	"slices"
	"strings"
	"testing"
)

// rule forbids the packages of some trees to import others. Tests may import what they need to set a scene.
type rule struct {
	name   string
	of     []string
	except []string // trees below these that the rule spares
	never  []string // trees of the module
	// only, when there are any, are the trees of the module that may be imported at all.
	only []string
}

// adapters of the event log.
var stores = []string{"internal/eventstore/embedded", "internal/eventstore/eventstoredb", "internal/eventstore/wire"}

func rules() []rule {
	return []rule{
		{name: "the domain knows the domain only", of: []string{"domain"}, only: []string{"domain"}},
		{name: "the event store knows bytes only", of: []string{"internal/eventstore"}, only: []string{"internal/eventstore", "internal/sqlite"}},
		{name: "SQLite knows nothing of the product", of: []string{"internal/sqlite"}, only: []string{"internal/sqlite"}},
		{name: "the embedded store does not know the other", of: stores[:1], never: stores[1:]},
		{name: "the EventStoreDB adapter does not know the other", of: stores[1:2], never: stores[:1]},
		{name: "adapters of databases know no decider", of: []string{"internal/readstore"}, never: []string{"domain", "internal/command", "api", "cmd"}},
		{name: "the database of tests knows nothing of the product", of: []string{"internal/readstore/postgrestest"}, only: []string{"internal/readstore/postgrestest"}},
		{name: "the codec knows the domain and the contract of the store", of: []string{"internal/eventcodec"}, only: []string{"domain", "internal/eventstore", "internal/eventcodec"}},
		{name: "adapters are named where all is wired", of: []string{"internal/command", "internal/process", "internal/feed", "internal/eventcodec", "internal/live", "api", "projections"}, never: stores},
		{name: "commands come before the interface", of: []string{"internal/command"}, never: []string{"api", "cmd", "projections", "internal/process", "internal/live", "internal/readstore"}},
		{name: "the read side does not command", of: []string{"projections"}, never: []string{"api", "cmd", "internal/command", "internal/process"}},
		{name: "processes command and do not serve", of: []string{"internal/process"}, never: []string{"api", "cmd", "projections"}},
		{name: "what is internal does not know the interface", of: []string{"internal"}, except: []string{"internal/architecture"}, never: []string{"api", "cmd"}},
		{name: "the interface does not know the program", of: []string{"api"}, never: []string{"cmd"}},
	}
}

func TestImportsPointOneWay(t *testing.T) {
	files := source(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range files {
				if f.test || !below(f.dir, r.of...) || below(f.dir, r.except...) {
					continue
				}
				for _, i := range f.imports() {
					if !strings.HasPrefix(i, "./") {
						continue
					}
					if below(i, r.never...) || len(r.only) > 0 && !below(i, r.only...) {
						t.Errorf("%s imports %s", f.path, i)
					}
				}
			}
		})
	}
}

func TestNothingButTestsImportsWhatIsForTests(t *testing.T) {
	tests := []string{"domain/domaintest", "internal/eventstore/storetest", "internal/eventstore/teststore", "internal/readstore/postgrestest", "internal/architecture", "projections/projectiontest"}
	for _, f := range source(t) {
		for _, i := range f.imports() {
			if !f.test && !below(f.dir, tests...) && strings.HasPrefix(i, "./") && below(i, tests...) {
				t.Errorf("%s imports %s", f.path, i)
			}
		}
	}
}

func TestTheDomainImportsTheStandardLibraryOnlyAndDoesNoIO(t *testing.T) {
	// What decides may not do: look at the world, or at chance.
	forbidden := []string{"os", "net", "io", "io/fs", "syscall", "math/rand", "math/rand/v2", "crypto/rand", "database/sql", "log", "log/slog", "sync", "context"}
	for _, f := range source(t) {
		if f.test || !below(f.dir, "domain") || below(f.dir, "domain/domaintest") {
			continue
		}
		for _, i := range f.imports() {
			first, _, _ := strings.Cut(i, "/")
			if strings.Contains(first, ".") && first != "." || slices.Contains(forbidden, i) || strings.HasPrefix(i, "net/") || strings.HasPrefix(i, "os/") {
				t.Errorf("%s imports %s", f.path, i)
			}
		}
	}
}

func TestTheDomainReadsNoClock(t *testing.T) {
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, f := range source(t) {
		if !below(f.dir, "domain") {
			continue
		}
		f.uses(func(pkg, name string) {
			if pkg == "time" && slices.Contains(clock, name) {
				t.Errorf("%s uses time.%s", f.path, name)
			}
		})
	}
}

func TestTheRulesAboutImportsFindWhatTheyForbid(t *testing.T) {
	for _, c := range []struct {
		dir   string
		trees []string
		want  bool
	}{
		{"domain", []string{"domain"}, true}, {"domain/session", []string{"domain"}, true}, {"./domain/session", []string{"domain"}, true},
		{"domains", []string{"domain"}, false}, {"internal/eventstore", []string{"internal/eventstore/embedded"}, false}, {"api", nil, false},
	} {
		if got := below(c.dir, c.trees...); got != c.want {
			t.Errorf("%s below %v: %v", c.dir, c.trees, got)
		}
	}
}
