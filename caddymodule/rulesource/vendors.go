package rulesource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/caddy-consent/caddy-consent/caddymodule/problem"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
)

// Builtin is the built-in catalogue. Nobody changes it, so all configurations share it.
var Builtin = sync.OnceValues(catalogue.Builtin)

// Vendors reads the built-in vendors and the operator's own files, which replace built-in ones of the same name.
func Vendors(places map[string]string, globs []string) (*catalogue.Catalogue, error) {
	if len(globs) == 0 {
		return Builtin()
	}
	systems := []fs.FS{catalogue.BuiltinFS()}
	var errs []error
	for _, glob := range globs {
		dir, pattern := filepath.Split(glob)
		if matches, err := filepath.Glob(glob); err != nil || len(matches) == 0 {
			errs = append(errs, problem.At(places, glob, fmt.Errorf("rules file %s: no file matches (a vendor file is JSON: rules/catalogue/README.md)", glob)))
			continue
		}
		systems = append(systems, placedFS{matching{os.DirFS(dir), pattern}, glob})
	}
	c, err := catalogue.Load(systems...)
	if err == nil && len(errs) == 0 {
		return c, nil
	}
	if err != nil { // which of them is it?
		for _, one := range systems[1:] {
			glob := one.(placedFS).glob
			if _, wrong := catalogue.Load(systems[0], one); wrong != nil {
				err, errs = nil, append(errs, problem.At(places, glob, fmt.Errorf("rules file %s: %w", glob, wrong)))
			}
		}
	}
	return nil, errors.Join(append(errs, err)...)
}

// placedFS knows what it was named by.
type placedFS struct {
	matching
	glob string
}

// matching shows only the files of a folder that match a pattern.
type matching struct {
	fs.FS
	pattern string
}

// ReadDir lists the matching files.
func (m matching) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(m.FS, name)
	kept := entries[:0]
	for _, e := range entries {
		if ok, _ := filepath.Match(m.pattern, e.Name()); ok {
			kept = append(kept, e)
		}
	}
	return kept, err
}
