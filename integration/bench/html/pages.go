package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// readPages returns the real pages that the corpus holds, and those that it names in packages of Go and npm, as far as
// they can be had, with the files they stand in.
func readPages(corpus string) (pages [][]byte, files []string, err error) {
	dev := filepath.Join(corpus, "dev")
	files, err = filepath.Glob(filepath.Join(dev, "pages", "*.html"))
	if err != nil || len(files) == 0 {
		return nil, nil, fmt.Errorf("no pages in %s", dev)
	}
	more, err := referenced(dev)
	if err != nil {
		return nil, nil, err
	}
	files = append(files, more...)
	for i, f := range files {
		if files[i], err = filepath.Abs(f); err != nil {
			return nil, nil, err
		}
		p, err := os.ReadFile(f)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, p)
	}
	return pages, files, nil
}

// referenced returns the files of more.json: pages that are only named in the corpus.
func referenced(dev string) (files []string, err error) {
	data, err := os.ReadFile(filepath.Join(dev, "more.json"))
	if err != nil {
		return nil, err
	}
	var list struct {
		Sources map[string]struct{ Kind, Module, Package, Version string }
		Pages   []struct{ Source, Path string }
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for id, s := range list.Sources {
		switch s.Kind {
		case "gomod":
			folders[id] = moduleFolder(s.Module + "@" + s.Version)
		case "npm":
			folders[id] = filepath.Join("node_modules", s.Package)
		}
		if _, err := os.Stat(folders[id]); err != nil {
			fmt.Fprintf(os.Stderr, "pages of %s%s are left out: %v\n", s.Module, s.Package, err)
			delete(folders, id)
		}
	}
	for _, p := range list.Pages {
		if folder := folders[p.Source]; folder != "" {
			files = append(files, filepath.Join(folder, filepath.FromSlash(p.Path)))
		}
	}
	return files, nil
}

// moduleFolder downloads a module and returns where it is, "" if it cannot be had.
func moduleFolder(module string) string {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if json.Unmarshal(out, &m) != nil || err != nil {
		fmt.Fprintf(os.Stderr, "%s cannot be had: %s\n", module, strings.TrimSpace(m.Error))
		return ""
	}
	return m.Dir
}
