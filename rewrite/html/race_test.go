//go:build race

package html

const (
	defaultDocuments = 10_000 // that TestGrammar makes
	defaultSplits    = 100    // of each golden, at random
)
