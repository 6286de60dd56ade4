//go:build !race

package html

const (
	defaultDocuments = 100_000 // that TestGrammar makes
	defaultSplits    = 1000    // of each golden, at random
)
