package cookie

import "time"

// parseDate is the lenient date algorithm of RFC 6265bis, 5.1.1: it finds time, day, month and year among tokens in
// any order.
func parseDate(s string) (time.Time, bool) {
	var d cookieDate
	for i := 0; i < len(s); {
		if delimiter(s[i]) {
			i++
			continue
		}
		start := i
		for i < len(s) && !delimiter(s[i]) {
			i++
		}
		d.token(s[start:i])
	}
	return d.time()
}

type cookieDate struct {
	hour, minute, second, day, month, year int
	hasTime, hasDay, hasMonth, hasYear     bool
}

func (d *cookieDate) token(t string) {
	switch {
	case !d.hasTime && d.clock(t):
		d.hasTime = true
	case !d.hasDay && number(t, 1, 2, &d.day):
		d.hasDay = true
	case !d.hasMonth && d.monthName(t):
		d.hasMonth = true
	case !d.hasYear && number(t, 2, 4, &d.year):
		d.hasYear = true
	}
}

// clock reads hh:mm:ss, each of one or two digits, with anything but a digit after it.
func (d *cookieDate) clock(t string) bool {
	var parts [3]int
	for i := range parts {
		n := 0
		for n < len(t) && t[n] >= '0' && t[n] <= '9' {
			n++
		}
		if !number(t[:n], 1, 2, &parts[i]) {
			return false
		}
		t = t[n:]
		if i < 2 {
			if t == "" || t[0] != ':' {
				return false
			}
			t = t[1:]
		}
	}
	d.hour, d.minute, d.second = parts[0], parts[1], parts[2]
	return true
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

func (d *cookieDate) monthName(t string) bool {
	if len(t) < 3 {
		return false
	}
	for m := 0; m < 12; m++ {
		name := months[3*m : 3*m+3]
		if t[0]|0x20 == name[0] && t[1]|0x20 == name[1] && t[2]|0x20 == name[2] {
			d.month = m + 1
			return true
		}
	}
	return false
}

func (d *cookieDate) time() (time.Time, bool) {
	year := d.year
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year >= 0 && year <= 69:
		year += 2000
	}
	if !d.hasTime || !d.hasMonth || !d.hasYear || year < 1601 || d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return t, t.Day() == d.day // not so without a day, and of one that the month does not have
}

// number reads between low and high leading digits that nothing but a non-digit follows.
func number(t string, low, high int, n *int) bool {
	v, i := 0, 0
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		if i == high {
			return false
		}
		v = v*10 + int(t[i]-'0')
		i++
	}
	if i < low {
		return false
	}
	*n = v
	return true
}

func delimiter(c byte) bool {
	return c == '\t' || c >= 0x20 && c <= 0x2f || c >= 0x3b && c <= 0x40 || c >= 0x5b && c <= 0x60 || c >= 0x7b && c <= 0x7e
}
