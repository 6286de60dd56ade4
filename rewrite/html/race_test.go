//go:build race

package html

// defaultDocuments is how many documents TestGrammar makes.
const defaultDocuments = 10_000
