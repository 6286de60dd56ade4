package main

import "testing"

// The benchmarks are for profiles: go test ./html -run - -bench catalogue -cpuprofile cpu.out
func BenchmarkRewriters(b *testing.B) {
	b.Chdir("..") // where npm installs pages
	pages, _, err := readPages(*corpus)
	if err != nil {
		b.Skip(err)
	}
	all, err := newCatalogues()
	if err != nil {
		b.Fatal(err)
	}
	for i, name := range []string{"empty", "looked-at", "catalogue", "unseen"} {
		c := rewriters(pages, all)[i]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(total(pages)))
			for b.Loop() {
				for page := range pages {
					c.read(page)
				}
			}
		})
	}
}
