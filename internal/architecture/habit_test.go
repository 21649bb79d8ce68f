package architecture

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// maxLines bounds a file of code. The habit is about 300; this is where "about" ends.
const maxLines = 400

func TestEveryPackageHasAComment(t *testing.T) {
	commented, seen := map[string]bool{}, map[string]string{}
	for _, f := range source(t) {
		if f.test {
			continue
		}
		seen[f.dir] = f.path
		if doc := strings.TrimSpace(f.syntax.Doc.Text()); strings.HasPrefix(doc, "Package ") || strings.HasPrefix(doc, "Command ") {
			commented[f.dir] = true
		}
	}
	for dir := range seen {
		if !commented[dir] {
			t.Errorf("the package in %s has no comment", dir)
		}
	}
}

func TestAFileIsNotLongerThanItsReadersPatience(t *testing.T) {
	for _, f := range source(t) {
		if !f.test && f.lines > maxLines {
			t.Errorf("%s has %d lines", f.path, f.lines)
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, f := range source(t) {
		if !f.test {
			continue
		}
		f.uses(func(pkg, name string) {
			if pkg == "time" && name == "Sleep" {
				t.Errorf("%s sleeps", f.path)
			}
		})
	}
}

func TestOnlyTheProgramPrints(t *testing.T) {
	for _, f := range source(t) {
		if f.test || below(f.dir, "cmd") || f.syntax.Name.Name == "main" {
			continue
		}
		f.uses(func(pkg, name string) {
			if pkg == "fmt" && strings.HasPrefix(name, "Print") || pkg == "os" && (name == "Stdout" || name == "Stderr") {
				t.Errorf("%s uses %s.%s", f.path, pkg, name)
			}
		})
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok && (name.Name == "println" || name.Name == "print") {
					t.Errorf("%s uses %s", f.path, name.Name)
				}
			}
			return true
		})
	}
}

func TestColumnsAreListed(t *testing.T) {
	star := regexp.MustCompile(`(?i)\bselect\s+(distinct\s+)?(\w+\.)?\*`)
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".sql") && !strings.HasSuffix(path, ".go") {
			return
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if at := star.FindIndex(data); at != nil {
			t.Errorf("%s:%d takes whatever columns there are", path, 1+strings.Count(string(data[:at[0]]), "\n"))
		}
	})
}
