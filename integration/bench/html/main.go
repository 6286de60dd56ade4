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
	"time"
)

var (
	corpus = flag.String("corpus", filepath.Join("..", "..", "..", "shared", "corpus"), "folder with dev/")
	rounds = flag.Int("rounds", 7, "how often each contender takes its turn")
	turn   = flag.Duration("turn", 150*time.Millisecond, "how long a turn is; each page's fastest time in all turns counts")
	only   = flag.String("only", "", "a regular expression: take the contenders whose name matches only")
)

// contender reads pages. Its time is the sum of the fastest times of each: a page is read within a fraction of a
// millisecond, which a busy machine leaves undisturbed now and then, as it does not leave a pass over all pages.
type contender struct {
	name  string
	pages int
	read  func(page int)
	timed func(time.Duration) (time.Duration, error) // in place of read, for what runs in a process of its own: the sum so far
	best  []time.Duration
	sum   time.Duration
	alloc float64 // per pass
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
			if err := c.take(*turn); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return list, nil
}

// take lets the contender read all its pages, again and again.
func (c *contender) take(turn time.Duration) (err error) {
	if c.timed != nil {
		c.sum, err = c.timed(turn)
		return err
	}
	if c.best == nil {
		c.best = make([]time.Duration, c.pages)
		c.pass() // what is allocated once is no cost of a page
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	passes := 0
	for end := time.Now().Add(turn); time.Now().Before(end) || passes == 0; passes++ {
		c.pass()
	}
	runtime.ReadMemStats(&after)
	c.alloc = float64(after.Mallocs-before.Mallocs) / float64(passes)
	c.sum = 0
	for _, d := range c.best {
		c.sum += d
	}
	return nil
}

// pass reads every page once.
func (c *contender) pass() {
	for i := range c.pages {
		start := time.Now()
		c.read(i)
		if d := time.Since(start); c.best[i] == 0 || d < c.best[i] {
			c.best[i] = d
		}
	}
}

// table prints the contenders and how many times as fast as each of the peers they are.
func table(list []*contender, size, pages int, peers []string) {
	fmt.Print("| | MB/s | allocations per page |")
	var rates []float64
	for _, p := range peers {
		for _, c := range list {
			if c.name == p {
				rates = append(rates, float64(c.sum))
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
		m := float64(c.sum)
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
