package integration

import (
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/caddy-consent/caddy-consent/"

// mayImport are the rooms of the house and, of each, what it may use of the others. Only caddymodule knows Caddy and zap.
var mayImport = map[string][]string{
	"consent":     {"consent"},
	"rules":       {"rules", "consent"}, // for consent.Purpose
	"rewrite":     {"rewrite"},
	"caddymodule": {"caddymodule", "consent", "rules", "rewrite"},
	"integration": {"integration", "caddymodule", "consent", "rules", "rewrite"},
}

// below are the packages below caddymodule, the siblings that each may use, and whether it may know Caddy. None knows caddymodule,
// which joins them, but the program that is built of it.
var below = map[string]struct {
	siblings []string
	caddy    bool
}{
	"adminapi":   {[]string{"records"}, true},
	"anonymize":  {nil, true},
	"audit":      {nil, false},
	"caddy":      {[]string{""}, true},
	"cname":      {nil, false},
	"command":    {[]string{"adminapi", "audit", "crawl", "demo", "inventory", "records", "report", "rulesource", "terminal"}, true},
	"crawl":      {nil, false},
	"demo":       {nil, false},
	"inventory":  {[]string{"metrics"}, false},
	"learned":    {nil, false},
	"metrics":    {nil, false},
	"problem":    {nil, false},
	"records":    {nil, false},
	"report":     {[]string{"inventory", "rulesource", "terminal"}, false},
	"rulesource": {[]string{"anonymize", "metrics", "problem"}, true},
	"terminal":   {nil, false},
}

// TestBelowCaddymodule: the packages below caddymodule use each other in one direction, and nothing that would make two of them one.
func TestBelowCaddymodule(t *testing.T) {
	seen := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", "caddymodule", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(filepath.Dir(path))
		one, known := below[name]
		if seen[name] = true; !known {
			t.Errorf("%s belongs to a package that is not in the list", path)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			imported, _ := strconv.Unquote(i.Path.Value)
			own, inside := strings.CutPrefix(imported+"/", module+"caddymodule/")
			if inside && !slices.Contains(one.siblings, strings.TrimSuffix(own, "/")) {
				t.Errorf("%s imports %s", path, imported)
			}
			if strings.HasPrefix(imported, "github.com/caddyserver/") && !one.caddy {
				t.Errorf("%s imports %s", path, imported)
			}
		}
	}
	if len(seen) != len(below) {
		t.Errorf("there are %d packages below caddymodule, the list has %d", len(seen), len(below))
	}
}

// TestImports: the three libraries know neither each other nor Caddy nor zap, and every package has one package comment.
func TestImports(t *testing.T) {
	comments := map[string]int{}
	for room, rooms := range mayImport {
		err := filepath.WalkDir(filepath.Join("..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				return err
			}
			test := strings.HasSuffix(path, "_test.go")
			if !test {
				comments[filepath.Dir(path)] += 0
				if f.Doc != nil {
					comments[filepath.Dir(path)]++
				}
			}
			for _, i := range f.Imports {
				name, _ := strconv.Unquote(i.Path.Value)
				if own, ok := strings.CutPrefix(name, module); ok {
					target, _, _ := strings.Cut(own, "/")
					if !slices.Contains(rooms, target) && !test {
						t.Errorf("%s imports %s", path, name)
					}
					if room == "rules" && target == "consent" && own != "consent" && !test {
						t.Errorf("%s imports %s: rules may use consent.Purpose and nothing else", path, name)
					}
				}
				if (strings.HasPrefix(name, "github.com/caddyserver/") || strings.HasPrefix(name, "go.uber.org/zap")) && room != "caddymodule" && room != "integration" && !test {
					t.Errorf("%s imports %s", path, name)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for dir, n := range comments {
		if n != 1 && dir != filepath.Join("..", "integration") {
			t.Errorf("%s has %d package comments, want one", dir, n)
		}
	}
}

// TestLayout: the top level holds the rooms and nothing else.
func TestLayout(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, room := mayImport[e.Name()]; e.IsDir() && !room && !strings.HasPrefix(e.Name(), ".") && e.Name() != "docs" && e.Name() != "consent-data" {
			t.Errorf("%s is no room", e.Name())
		}
		if filepath.Ext(e.Name()) == ".go" {
			t.Errorf("%s: there is no package at the top", e.Name())
		}
	}
}
