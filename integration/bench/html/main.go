// Command html compares the streaming rewriters for HTML and CSS with their peers: the same real pages, the same machine,
// one core, in turns within the same run. See ../README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"time"
)

var (
	corpus = flag.String("corpus", filepath.Join("..", "..", "..", "shared", "corpus"), "folder with dev/")
	rounds = flag.Int("rounds", 7, "how often each contender takes its turn; the median counts")
	turn   = flag.Duration("turn", 150*time.Millisecond, "how long a turn is; its fastest pass counts")
	only   = flag.String("only", "", "a regular expression: take the contenders whose name matches only")
)

// contender does one pass over all the input.
type contender struct {
	name  string
	pass  func()
	timed func(time.Duration) (time.Duration, error) // in place of pass, for what runs in a process of its own
	times []time.Duration
	alloc float64 // per pass
	note  string
}

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	pages, files, err := readPages(*corpus)
	if err != nil {
		return err
	}
	catalogue, err := newCatalogues()
	if err != nil {
		return err
	}
	bun, stop := startBun(files)
	defer stop()
	size := total(pages)
	list := append(rewriters(pages, catalogue), peers(pages)...)
	list = append(list, bun...)
	if list, err = compete(list); err != nil {
		return err
	}
	fmt.Printf("\n### HTML: %d real pages, %.1f MB, chunks of 32 KiB, one core\n\n", len(pages), float64(size)/1e6)
	table(list, size, len(pages), []string{"x/net/html tokenizer", "x/net/html, four elements", "Bun HTMLRewriter, no handler",
		"Bun HTMLRewriter, four selectors"})

	sheets := styleSheets(pages)
	list = styles(sheets, catalogue[0])
	if list, err = compete(list); err != nil {
		return err
	}
	fmt.Printf("\n### CSS: the %.1f MB of those pages' style elements\n\n", float64(len(sheets))/1e6)
	table(list, len(sheets), 1, []string{"tdewolff/parse lexer"})
	return small(pages, catalogue[0])
}

// compete lets each contender take its turn, in every round, and returns those that were asked for.
func compete(all []*contender) (list []*contender, err error) {
	for _, c := range all {
		if matched, err := regexp.MatchString(*only, c.name); err != nil {
			return nil, err
		} else if matched {
			list = append(list, c)
		}
	}
	for range *rounds {
		for _, c := range list {
			d, err := c.take(*turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, d)
		}
	}
	return list, nil
}

// take returns the time of the fastest pass in a turn.
func (c *contender) take(turn time.Duration) (time.Duration, error) {
	if c.timed != nil {
		return c.timed(turn)
	}
	var before, after runtime.MemStats
	c.pass()
	runtime.ReadMemStats(&before)
	best, passes := time.Duration(0), 0
	for end := time.Now().Add(turn); time.Now().Before(end) || passes == 0; passes++ {
		start := time.Now()
		c.pass()
		if d := time.Since(start); best == 0 || d < best {
			best = d
		}
	}
	runtime.ReadMemStats(&after)
	c.alloc = float64(after.Mallocs-before.Mallocs) / float64(passes)
	return best, nil
}

func (c *contender) median() time.Duration {
	slices.Sort(c.times)
	return c.times[len(c.times)/2]
}

// table prints the contenders and how many times as fast as each of the peers they are.
func table(list []*contender, size, pages int, peers []string) {
	fmt.Print("| | MB/s | allocations per page |")
	var rates []float64
	for _, p := range peers {
		for _, c := range list {
			if c.name == p {
				rates = append(rates, float64(c.median()))
				fmt.Printf(" × %s |", p)
			}
		}
	}
	fmt.Print("\n|---|---|---|")
	for range rates {
		fmt.Print("---|")
	}
	fmt.Println()
	for _, c := range list {
		m := float64(c.median())
		allocs := fmt.Sprintf("%.2f", c.alloc/float64(pages))
		if c.timed != nil {
			allocs = "–"
		}
		fmt.Printf("| %s | %.0f | %s |", c.name, float64(size)/m*1e3, allocs)
		for _, r := range rates {
			fmt.Printf(" %.2f |", r/m)
		}
		fmt.Println()
	}
}

func total(pages [][]byte) (n int) {
	for _, p := range pages {
		n += len(p)
	}
	return n
}
