package catalogue

import (
	"fmt"
	"strings"
)

// Retention returns the longest documented retention among the vendor's cookies in plain words ("2 years", "30 minutes",
// "session"), "" if none is known.
func (v *Vendor) Retention() string {
	longest, text := -1, ""
	for _, list := range [][]Cookie{v.Cookies, v.ThirdPartyCookies} {
		for _, c := range list {
			if seconds, words := plain(c.Retention); seconds > longest {
				longest, text = seconds, words
			}
		}
	}
	return text
}

// units are the abbreviations that data files use, the longer first where one begins another.
var units = []struct {
	short, word string
	seconds     int
}{
	{"mo", "month", 30 * 86400}, {"y", "year", 365 * 86400}, {"w", "week", 7 * 86400}, {"d", "day", 86400}, {"h", "hour", 3600},
	{"m", "minute", 60}, {"s", "second", 1},
}

// plain reads the longest time in a text such as "2y", "session/30m" or "13mo EEA/24mo else" and spells it out. It returns
// -1 and "" if there is none.
func plain(text string) (seconds int, words string) {
	seconds = -1
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '-' || r == ' ' }) {
		if part == "session" && seconds < 0 {
			seconds, words = 0, "session"
		}
		n, rest := 0, part
		for rest != "" && '0' <= rest[0] && rest[0] <= '9' && n < 1000 {
			n, rest = n*10+int(rest[0]-'0'), rest[1:]
		}
		for _, u := range units {
			if n > 0 && strings.TrimRight(rest, "+*") == u.short && n*u.seconds > seconds {
				seconds, words = n*u.seconds, fmt.Sprintf("%d %ss", n, u.word)
				if n == 1 {
					words = "1 " + u.word
				}
			}
		}
	}
	return seconds, words
}
