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
