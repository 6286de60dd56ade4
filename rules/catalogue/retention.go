package catalogue

import (
	"strconv"
	"strings"
)

// Retention returns the longest documented retention among the vendor's cookies as an ISO 8601 duration of one unit ("P2Y",
// "PT30M"), "" if none is known or all end with the browser's session.
func (v *Vendor) Retention() (iso string) {
	longest := 0
	for _, list := range [][]Cookie{v.Cookies, v.ThirdPartyCookies} {
		for _, c := range list {
			if minutes, text := duration(c.Retention); minutes > longest {
				longest, iso = minutes, text
			}
		}
	}
	return iso
}

// units are the abbreviations that data files use.
var units = []struct {
	short, before, after string // in the file; around the number in ISO 8601
	minutes              int
}{
	{"y", "P", "Y", 365 * 1440}, {"mo", "P", "M", 30 * 1440}, {"w", "P", "W", 7 * 1440}, {"d", "P", "D", 1440}, {"h", "PT", "H", 60}, {"m", "PT", "M", 1},
}

// duration reads the longest time in a text such as "2y", "session/30m" or "13mo EEA/24mo else". It returns 0 and "" if
// there is none.
func duration(text string) (minutes int, iso string) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '-' || r == ' ' }) {
		n, rest := 0, part
		for rest != "" && '0' <= rest[0] && rest[0] <= '9' && n < 1000 {
			n, rest = n*10+int(rest[0]-'0'), rest[1:]
		}
		for _, u := range units {
			if strings.TrimRight(rest, "+*") == u.short && n*u.minutes > minutes {
				minutes, iso = n*u.minutes, u.before+strconv.Itoa(n)+u.after
			}
		}
	}
	return minutes, iso
}
