//go:build !race

package filterlist

const raceEnabled = false
