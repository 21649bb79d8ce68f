package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

// field of a struct as it stands in JSON.
type field struct {
	name, kind, doc string
	optional        bool
}

// structure is a struct type of the domain, or a named type with its constants.
type structure struct {
	name, doc string
	fields    []field
}

// source is what the packages of the domain say of their types, by package and name.
type source struct {
	structures map[string]structure
	basic      map[string]string // named types that are strings or numbers in JSON
}

// read parses the packages of the domain below root.
func read(root string) (source, error) {
	s := source{structures: map[string]structure{}, basic: map[string]string{}}
	var specs []found
	for _, p := range []string{"domain", "domain/session", "domain/staff", "domain/profile", "domain/queue", "domain/access"} {
		paths, err := filepath.Glob(filepath.Join(root, p, "*.go"))
		if err != nil || len(paths) == 0 {
			return s, fmt.Errorf("no source in %s: %v", p, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return s, err
			}
			specs = append(specs, typesOf(file)...)
		}
	}
	for _, f := range specs {
		if basic, ok := f.spec.Type.(*ast.Ident); ok {
			s.basic[f.name()] = jsonKind(basic.Name)
		}
	}
	for _, f := range specs {
		if st, ok := f.spec.Type.(*ast.StructType); ok {
			s.structures[f.name()] = structure{f.spec.Name.Name, f.doc, s.fields(f.pkg, st)}
		}
	}
	return s, nil
}

// found is a type declaration.
type found struct {
	pkg, doc string
	spec     *ast.TypeSpec
}

func (f found) name() string { return f.pkg + "." + f.spec.Name.Name }

func typesOf(file *ast.File) []found {
	var all []found
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		for _, spec := range decl.Specs {
			t := spec.(*ast.TypeSpec)
			doc := t.Doc
			if doc == nil && len(decl.Specs) == 1 {
				doc = decl.Doc
			}
			all = append(all, found{file.Name.Name, sentence(doc), t})
		}
	}
	return all
}

func (s source) fields(pkg string, st *ast.StructType) []field {
	var all []field
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			continue
		}
		name, options, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		doc := strings.TrimSpace(sentence(f.Doc) + " " + sentence(f.Comment))
		all = append(all, field{name, s.kind(pkg, f.Type), doc, strings.Contains(options, "omitempty")})
	}
	return all
}

// kind says what a Go type is in JSON.
func (s source) kind(pkg string, t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return s.kind(pkg, t.X)
	case *ast.ArrayType:
		return "array of " + s.kind(pkg, t.Elt)
	case *ast.SelectorExpr:
		return s.named(t.X.(*ast.Ident).Name + "." + t.Sel.Name)
	case *ast.Ident:
		if kind := jsonKind(t.Name); kind != "" {
			return kind
		}
		return s.named(pkg + "." + t.Name)
	default:
		return "object"
	}
}

func (s source) named(name string) string {
	if name == "time.Time" {
		return "time (RFC 3339)"
	}
	if name == "domain.Millis" {
		return "integer (ms)"
	}
	if basic := s.basic[name]; basic != "" {
		return basic
	}
	return "[" + name + "](#" + anchor(name) + ")"
}

func anchor(name string) string { return strings.ReplaceAll(strings.ToLower(name), ".", "") }

func jsonKind(basic string) string {
	switch basic {
	case "string", "bool":
		return basic
	case "int", "int64", "uint64", "uint8":
		return "integer"
	default:
		return ""
	}
}

// sentence puts a comment on one line of a table.
func sentence(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(c.Text()), " "), "|", `\|`)
}
