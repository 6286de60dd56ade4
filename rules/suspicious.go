package rules

import (
	"bytes"
	"time"

	"github.com/caddy-consent/caddy-consent/rules/internal/ascii"
)

// suspiciousAge is how long a cookie must be kept to be suspected: a session's identifier need not be.
const suspiciousAge = 24 * time.Hour

// suspiciousBits is how much a value must be able to tell apart: more than a billion visitors.
const suspiciousBits = 32

// Suspicious reports whether a cookie that nobody classified looks as if it told visitors apart: kept for more than a day,
// with a value that holds a long random part. Names that say session, CSRF protection or the like are not suspected.
// maxAge is the time from now until the cookie expires, 0 for one that ends with the session.
func Suspicious(name, value []byte, maxAge time.Duration) bool {
	if maxAge <= suspiciousAge || innocent(name) {
		return false
	}
	best := 0
	for len(value) > 0 {
		i := bytes.IndexFunc(value, func(r rune) bool { return !(r < 0x80 && (ascii.Alphanumeric(byte(r)) || r == '-' || r == '_')) })
		run := value
		if i >= 0 {
			run, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		best = max(best, randomBits(run))
	}
	return best >= suspiciousBits
}

func innocent(name []byte) bool {
	for _, part := range [...]string{"sess", "csrf", "xsrf", "token", "auth", "login", "cart", "basket", "remember", "consent",
		"cookie", "locale", "lang", "currency", "theme"} {
		if ascii.IndexFold(name, part) >= 0 {
			return true
		}
	}
	return false
}

// randomBits estimates how many bits of chance a run of letters and digits holds. Words and dates hold few: what counts
// is how often letters and digits take turns, and a run of nothing but digits counts beyond a time stamp's length.
func randomBits(run []byte) int {
	digits, letters, turns := 0, 0, 0
	hexOnly := true
	var last byte
	for _, c := range run {
		k := byte('-')
		switch c = ascii.Lower[c]; {
		case '0' <= c && c <= '9':
			digits++
			k = '0'
		case 'a' <= c && c <= 'z':
			letters++
			k = 'a'
			hexOnly = hexOnly && c <= 'f'
		}
		if k == '-' {
			continue
		}
		if last != 0 && k != last {
			turns++
		}
		last = k
	}
	switch {
	case letters == 0:
		return max(0, digits-13) * 10 / 3 // 13 digits: a time in milliseconds
	case turns < 2:
		return 0
	case hexOnly:
		return (digits + letters) * 4
	}
	return min((digits+letters)*5, turns*12)
}
