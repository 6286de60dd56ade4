package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
	tdewolff "github.com/tdewolff/parse/v2/html"
	xhtml "golang.org/x/net/html"
)

// peers are the Go libraries. They get whole pages from memory, which spares them the work of resuming.
func peers(pages [][]byte) []*contender {
	return []*contender{
		{name: "x/net/html tokenizer", pages: len(pages), read: func(i int) { tokenize(pages[i], false) }},
		{name: "x/net/html, four elements", pages: len(pages), read: func(i int) { tokenize(pages[i], true) }},
		{name: "tdewolff/parse lexer", pages: len(pages), read: func(i int) { lex(pages[i]) }},
	}
}

// tokenize reads a page with x/net/html, and the attributes of script, img, iframe and link if it is told to.
func tokenize(page []byte, four bool) {
	z := xhtml.NewTokenizer(bytes.NewReader(page))
	for {
		k := z.Next()
		if k == xhtml.ErrorToken {
			return
		}
		if !four || k != xhtml.StartTagToken && k != xhtml.SelfClosingTagToken {
			continue
		}
		switch name, more := z.TagName(); string(name) {
		case "script", "img", "iframe", "link":
			for more {
				_, _, more = z.TagAttr()
			}
		}
	}
}

func lex(page []byte) {
	l := tdewolff.NewLexer(parse.NewInputBytes(page[:len(page):len(page)]))
	for {
		if k, _ := l.Next(); k == tdewolff.ErrorToken {
			return
		}
	}
}

func stylePeers(sheets []byte) []*contender {
	return []*contender{{name: "tdewolff/parse lexer", pages: 1, read: func(int) {
		l := css.NewLexer(parse.NewInputBytes(sheets[:len(sheets):len(sheets)]))
		for {
			if k, _ := l.Next(); k == css.ErrorToken {
				return
			}
		}
	}}}
}

// startBun starts Bun if npm installed it, and returns what it competes as and how to end it.
func startBun(files []string) (list []*contender, stop func()) {
	found, _ := filepath.Glob(filepath.Join("node_modules", "@oven", "*", "bin", "bun"))
	if len(found) == 0 {
		fmt.Fprintln(os.Stderr, "Bun is left out: npm has not installed it")
		return nil, func() {}
	}
	names := filepath.Join(os.TempDir(), "bench-pages-"+strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(names, []byte(strings.Join(files, "\n")), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "Bun is left out:", err)
		return nil, func() {}
	}
	cmd := exec.Command(found[0], filepath.Join("html", "bun.mjs"), names)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		panic(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "Bun is left out:", err)
		return nil, func() {}
	}
	answers := bufio.NewReader(out)
	ask := func(what string) func(time.Duration) (time.Duration, error) {
		return func(turn time.Duration) (time.Duration, error) {
			fmt.Fprintln(in, what, turn.Milliseconds())
			line, err := answers.ReadString('\n')
			if err != nil {
				return 0, err
			}
			ns, err := strconv.ParseFloat(strings.TrimSpace(line), 64)
			return time.Duration(ns), err
		}
	}
	list = []*contender{
		{name: "Bun HTMLRewriter, no handler", timed: ask("whole-none")},
		{name: "Bun HTMLRewriter, four selectors", timed: ask("whole-four")},
		{name: "Bun HTMLRewriter, no handler, streamed", timed: ask("streamed-none")},
		{name: "Bun HTMLRewriter, four selectors, streamed", timed: ask("streamed-four")},
	}
	return list, func() {
		_ = in.Close()
		_ = cmd.Wait()
		_ = os.Remove(names)
	}
}
