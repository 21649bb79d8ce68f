package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chatwatch/chatwatch"

// file is a source file of the module. Dir is its package's directory within the module, "." for the root.
type file struct {
	path, dir string
	test      bool
	lines     int
	syntax    *ast.File
}

// imports lists the packages that the file imports; those of the module without its name.
func (f file) imports() []string {
	var all []string
	for _, i := range f.syntax.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		if within, ok := strings.CutPrefix(p, module+"/"); ok {
			p = "./" + within
		}
		all = append(all, p)
	}
	return all
}

// uses calls yield for every selector on a package, such as time.Now.
func (f file) uses(yield func(pkg, name string)) {
	names := map[string]string{}
	for _, i := range f.syntax.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = p
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && names[x.Name] != "" {
				yield(names[x.Name], s.Sel.Name)
			}
		}
		return true
	})
}

const root = "../.."

// walk calls visit for every file of the module that somebody wrote by hand.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != root && (strings.HasPrefix(name, ".") || slices.Contains([]string{"testdata", "node_modules", "vendor"}, name)) {
			return fs.SkipDir
		}
		if !d.IsDir() {
			visit(p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// source parses every Go file of the module.
func source(t *testing.T) []file {
	t.Helper()
	var all []file
	walk(t, func(p string) {
		if !strings.HasSuffix(p, ".go") {
			return
		}
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), p, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(syntax) {
			return
		}
		within := strings.TrimPrefix(filepath.ToSlash(p), root+"/")
		all = append(all, file{
			path: within, dir: path.Dir(within), test: strings.HasSuffix(p, "_test.go"),
			lines: strings.Count(string(data), "\n"), syntax: syntax,
		})
	})
	if len(all) < 50 {
		t.Fatalf("only %d files were found", len(all))
	}
	return all
}

// below tells whether a directory, or an import that begins with "./", is one of the trees or lies in one.
func below(dir string, trees ...string) bool {
	dir = strings.TrimPrefix(dir, "./")
	return slices.ContainsFunc(trees, func(tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") })
}
