package consent

import "strings"

// browsers are names in User-Agent fields, each ahead of those that it also pretends to be.
var browsers = [...]struct{ product, name string }{
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
	{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"},
}

// BrowserMajor reduces a User-Agent field to the browser's name and major version, such as "Firefox 140": all that a
// record keeps of it. It returns "" for what it does not know.
func BrowserMajor(userAgent string) string {
	for _, b := range browsers {
		_, version, ok := strings.Cut(userAgent, b.product)
		if !ok || b.product == "Version/" && !strings.Contains(userAgent, "Safari/") {
			continue
		}
		digits := 0
		for digits < len(version) && digits < 4 && version[digits] >= '0' && version[digits] <= '9' {
			digits++
		}
		if digits > 0 {
			return b.name + " " + version[:digits]
		}
	}
	return ""
}
