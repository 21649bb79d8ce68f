package domaintest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Sealed lists the names of the types in the package in dir that have the method that seals an interface, sorted.
func Sealed(t testing.TB, dir, method string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == method {
				names = append(names, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// CheckComplete fails the test when the values are not one of each type that the interface has.
func CheckComplete[T any](t testing.TB, dir, method string, values []T) {
	t.Helper()
	var names []string
	for _, v := range values {
		names = append(names, reflect.TypeOf(v).Name())
	}
	slices.Sort(names)
	if sealed := Sealed(t, dir, method); !slices.Equal(names, sealed) {
		t.Fatalf("the test has\n%v, the source has\n%v", names, sealed)
	}
}

// Filled returns a copy of v with every field set: each string to marker and the path of the field, numbers to 7, booleans
// to true, times to a fixed one, slices and maps to one element. Nothing is left at its zero value.
func Filled[T any](v T, marker string) T {
	out := reflect.New(reflect.TypeOf(v)).Elem()
	fill(out, marker)
	return out.Interface().(T)
}

// FilledAt is the time that Filled sets.
var FilledAt = time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC)

func fill(v reflect.Value, path string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(FilledAt))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), path+"[0]")
	case reflect.Map:
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, path+".key")
		fill(element, path+".value")
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, element)
	default:
		panic("domaintest: cannot fill " + v.Type().String())
	}
}
