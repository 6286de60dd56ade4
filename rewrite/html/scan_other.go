//go:build !amd64 || purego

package html

// vectors says that scanPlain can be called.
var vectors = false

func scanPlain(*scanMemory, *plainRules, []byte) (n int) { return 0 }
