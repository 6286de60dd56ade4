package caddymodule

import (
	"maps"
	"sync/atomic"
)

// maxMemo bounds a memo: what a client can vary must not fill the memory.
const maxMemo = 64

// memo remembers texts that most requests share. Reading takes no lock; when it is full it begins anew.
type memo[K comparable] struct{ texts atomic.Pointer[map[K]string] }

func (m *memo[K]) get(key K) (string, bool) {
	texts := m.texts.Load()
	if texts == nil {
		return "", false
	}
	text, ok := (*texts)[key]
	return text, ok
}

// put remembers a text, unless another goroutine remembers one at the same time.
func (m *memo[K]) put(key K, text string) {
	old := m.texts.Load()
	next := map[K]string{}
	if old != nil && len(*old) < maxMemo {
		next = maps.Clone(*old)
	}
	next[key] = text
	m.texts.CompareAndSwap(old, &next)
}
