package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddy-consent/caddy-consent/rules/filterlist"
)

// Compiled is what Compile made.
type Compiled struct {
	*filterlist.Engine
	// Reports has one entry for each source. It is nil when the engine came from the compiled file on disk: then the same
	// texts were reported when that file was made.
	Reports []*filterlist.Report
	// Errors has one entry for each source where Compile fails because of some: what is wrong with it, or nil.
	Errors []error

	path string // of the compiled file that is to be made, "" for none
}

// Compile loads the sources and joins them into an engine. With a folder, the compiled form that Keep left there is used as
// long as the texts stay the same, and it is not damaged or of another version. The error joins those of all sources: no
// engine is made of only some of the lists. Nothing is written.
func Compile(ctx context.Context, dir string, sources ...*Source) (Compiled, error) {
	texts := make([][]byte, len(sources))
	var errs []error
	for i, s := range sources {
		var err error
		texts[i], err = s.text(ctx)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return Compiled{Errors: errs}, err
	}
	path := compiledPath(dir, sources, texts)
	if e := readCompiled(path); e != nil {
		return Compiled{Engine: e}, nil
	}
	var c Compiled
	errs = nil
	lists := make([]*filterlist.List, len(sources))
	for i, s := range sources {
		l, rep, err := s.parse(ctx, texts[i])
		lists[i] = l
		c.Reports = append(c.Reports, rep)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		c.Errors = errs
		return c, err
	}
	e, err := filterlist.Compile(lists...)
	if err != nil {
		return c, err
	}
	c.Engine, c.path = e, path
	return c, nil
}

// Keep puts the engine into the folder that Compile was given, if it is not there, and removes what was kept for older texts
// of the same lists. That it fails costs only time at the next start.
func (c *Compiled) Keep() {
	if c.path != "" {
		writeCompiled(c.path, c.Engine)
		c.path = ""
	}
}

// compiledPath returns the file for exactly these lists and texts; "" if what they include has a say too.
func compiledPath(dir string, sources []*Source, texts [][]byte) string {
	if dir == "" {
		return ""
	}
	set, content := sha256.New(), sha256.New()
	for i, s := range sources {
		if bytes.Contains(texts[i], []byte("!#include")) {
			return ""
		}
		fmt.Fprintf(set, "%q\n", s.name)
		fmt.Fprintf(content, "%x\n", sha256.Sum256(texts[i]))
	}
	return filepath.Join(dir, hex.EncodeToString(set.Sum(nil)[:8])+"-"+hex.EncodeToString(content.Sum(nil)[:16])+".compiled")
}

func readCompiled(path string) *filterlist.Engine {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	e, err := filterlist.ReadEngine(f)
	if err != nil {
		return nil
	}
	return e
}

func writeCompiled(path string, e *filterlist.Engine) {
	var b bytes.Buffer
	if _, err := e.WriteTo(&b); err != nil || writeFile(path, b.Bytes()) != nil {
		return
	}
	set, _, _ := strings.Cut(filepath.Base(path), "-")
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if n := e.Name(); n != filepath.Base(path) && strings.HasPrefix(n, set+"-") && strings.HasSuffix(n, ".compiled") {
			_ = os.Remove(filepath.Join(filepath.Dir(path), n))
		}
	}
}
