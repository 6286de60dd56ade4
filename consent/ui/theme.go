package ui

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// themePrefix begins the name of each property an operator can set.
const themePrefix = "--consent-"

// themeDefaults are the properties without prefix. Those with "dark-" apply when the visitor prefers a dark scheme.
// Every button has the one pair button, button-text: a property for one answer alone does not exist.
var themeDefaults = map[string]string{
	"background": "#ffffff", "text": "#1d2632", "border": "#cbd3dd", "link": "#1d4f91", "focus": "#1d4f91",
	"button": "#24415f", "button-text": "#ffffff",
	"dark-background": "#1b222c", "dark-text": "#e8ecf2", "dark-border": "#46515f", "dark-link": "#9cc4ff", "dark-focus": "#9cc4ff",
	"dark-button": "#d7e3f1", "dark-button-text": "#14202e",
	"radius": "12px", "width": "44em", "font": "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif",
}

// contrasts are the pairs that must differ and by how much: WCAG 2.2, 1.4.3 (text, 4.5:1) and 1.4.11 (focus, 3:1).
var contrasts = []struct {
	front, back string
	least       float64
}{
	{"text", "background", 4.5},
	{"link", "background", 4.5},
	{"button-text", "button", 4.5},
	{"focus", "background", 3},
}

var (
	colourPattern = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
	lengthPattern = regexp.MustCompile(`^([0-9]{1,4}(\.[0-9]{1,3})?)(px|em|rem)$|^0$`)
	fontPattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 -]*(, ?-?[A-Za-z][A-Za-z0-9 -]*)*$`)
)

// ThemeProperties returns the names of the custom properties that Config.Theme may set, sorted, each with its default.
func ThemeProperties() (names, defaults []string) {
	for _, name := range slices.Sorted(maps.Keys(themeDefaults)) {
		names, defaults = append(names, themePrefix+name), append(defaults, themeDefaults[name])
	}
	return names, defaults
}

// compileTheme returns the declarations for the light and the dark scheme.
func compileTheme(own map[string]string, p *problems) (light, dark string) {
	theme := maps.Clone(themeDefaults)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		short, ok := strings.CutPrefix(name, themePrefix)
		if _, known := themeDefaults[short]; !ok || !known {
			names, _ := ThemeProperties()
			p.add("theme", name, "is no property of the theme (all buttons share one look, so that refusing is as easy as accepting): use some of "+strings.Join(names, " "))
			continue
		}
		value := strings.TrimSpace(own[name])
		if reason := checkThemeValue(short, value); reason != "" {
			p.add("theme "+name, own[name], reason)
			continue
		}
		theme[short] = value
	}
	checkContrast(theme, own, "", p)
	checkContrast(theme, own, "dark-", p)
	return declarations(theme, false), declarations(theme, true)
}

func checkThemeValue(name, value string) (reason string) {
	switch name {
	case "font":
		if len(value) > 200 || !fontPattern.MatchString(value) {
			return "must be font family names separated by commas, without quotes"
		}
	case "radius", "width":
		limits := map[string][2]float64{"radius": {0, 32}, "width": {288, 1600}}[name]
		m := lengthPattern.FindStringSubmatch(value)
		if m == nil {
			return `must be a length such as "12px" or "40em"`
		}
		n, _ := strconv.ParseFloat(m[1], 64)
		if m[3] != "px" {
			n *= 16
		}
		if n < limits[0] || n > limits[1] {
			return fmt.Sprintf("must be between %gpx and %gpx", limits[0], limits[1])
		}
	default:
		if !colourPattern.MatchString(value) {
			return `must be a colour such as "#1d4f91", so that its contrast can be checked`
		}
	}
	return ""
}

// checkContrast checks the pairs of one scheme; with the defaults alone it finds nothing (a test holds that).
func checkContrast(theme, own map[string]string, scheme string, p *problems) {
	for _, c := range contrasts {
		front, back := scheme+c.front, scheme+c.back
		if ratio := contrast(theme[front], theme[back]); ratio < c.least {
			name := themePrefix + front
			if _, set := own[name]; !set {
				name = themePrefix + back
			}
			p.add("theme "+name, own[name], fmt.Sprintf("contrast of %s %s on %s %s is %.2f:1, it must be at least %g:1",
				front, theme[front], back, theme[back], ratio, c.least))
		}
	}
}

// declarations returns the custom properties as the style sheets use them, without prefix.
func declarations(theme map[string]string, dark bool) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(themeDefaults)) {
		short, isDark := strings.CutPrefix(name, "dark-")
		if isDark == dark {
			fmt.Fprintf(&b, "--%s:%s;", short, theme[name])
		}
	}
	return b.String()
}

// contrast is the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

// luminance is the relative luminance of a colour #rgb or #rrggbb, 0 to 1 (WCAG 2.2, "relative luminance").
func luminance(colour string) float64 {
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return 0
	}
	channel := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}
