//go:build race

package consent_test

// raceEnabled says that sync.Pool drops values at random, as it does under the race detector.
const raceEnabled = true
