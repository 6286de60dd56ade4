package caddymodule

import (
	"errors"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// option parses one line (and its block) of a consent block.
type option[T any] func(d *caddyfile.Dispenser, to *T) error

// parseBlock runs the option of each line's name and returns all errors together, each with file and line.
func parseBlock[T any](d *caddyfile.Dispenser, to *T, what string, find func(name string) option[T], names iter.Seq[string]) error {
	var errs []error
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		name, inside := d.Val(), d.Nesting()
		var err error
		if parse := find(name); parse != nil {
			err = parse(d, to)
		} else {
			help := meant(name, names)
			if help == "" {
				help = "use one of " + strings.Join(slices.Sorted(names), ", ") + "; what is no option of it stands behind the block's }"
			}
			err = d.Errf("unknown %s option %q: %s", what, name, help)
		}
		if err == nil {
			continue
		}
		errs = append(errs, err)
		d.RemainingArgs()
		for d.NextBlock(inside) { // the rest of the option's own block
		}
	}
	return errors.Join(errs...)
}

// parseOptions is parseBlock for a block whose options are those of a map.
func parseOptions[T any](d *caddyfile.Dispenser, to *T, what string, options map[string]option[T]) error {
	return parseBlock(d, to, what, func(name string) option[T] { return options[name] }, maps.Keys(options))
}

// meant asks whether the words were meant that a mistyped one is like; "" if there are none.
func meant(mistyped string, words iter.Seq[string]) string {
	like := slices.DeleteFunc(slices.Sorted(words), func(w string) bool { return !typo(w, mistyped) })
	if len(like) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(like, " or ") + "?"
}

// nextString reads the next word of the line; more may follow.
func nextString(d *caddyfile.Dispenser, to *string) error {
	if !d.NextArg() {
		return d.ArgErr()
	}
	*to = d.Val()
	return nil
}

// oneString reads a line of one argument.
func oneString(d *caddyfile.Dispenser, to *string) error {
	name := d.Val()
	args := d.RemainingArgs()
	if len(args) != 1 {
		return d.Errf("%s takes one argument, not %d", name, len(args))
	}
	*to = args[0]
	return nil
}

// someStrings reads a line of one argument or more, which are added to those of earlier lines.
func someStrings(d *caddyfile.Dispenser, to *[]string) error {
	name := d.Val()
	args := d.RemainingArgs()
	if len(args) == 0 {
		return d.Errf("%s takes at least one argument", name)
	}
	*to = append(*to, args...)
	return nil
}

// oneDuration reads a line of one duration, which Caddy lets be in days, too.
func oneDuration(d *caddyfile.Dispenser, to *caddy.Duration) error {
	var s string
	name := d.Val()
	if err := oneString(d, &s); err != nil {
		return err
	}
	v, err := caddy.ParseDuration(s)
	if err != nil || v <= 0 {
		return d.Errf("%s takes a duration such as 24h or 90d, not %q", name, s)
	}
	*to = caddy.Duration(v)
	return nil
}

// oneOf reads a line of one of the values.
func oneOf(d *caddyfile.Dispenser, to *string, values ...string) error {
	name := d.Val()
	if err := oneString(d, to); err != nil || !slices.Contains(values, *to) {
		return d.Errf("%s takes one of %s, not %q", name, strings.Join(values, ", "), *to)
	}
	return nil
}

// switchOn reads a line that is the option's name alone.
func switchOn(d *caddyfile.Dispenser, to *bool) error {
	if d.NextArg() {
		return d.Errf("%q is one word too many", d.Val())
	}
	*to = true
	return nil
}

// doneAnyhow accepts a block of one option that asks for what is done without it: vendor files are watched (rules file GLOB
// { watch [INTERVAL] }), and a gated embed has a placeholder to click (require PURPOSE VENDOR { placeholder click }). What asks for
// something else is refused.
func doneAnyhow(d *caddyfile.Dispenser, name string, holds func(args []string) bool, usage string) error {
	for n := d.Nesting(); d.NextBlock(n); {
		if d.Val() != name {
			return d.Errf("unknown option %q: %s", d.Val(), usage)
		}
		if args := d.RemainingArgs(); !holds(args) {
			return d.Errf("%s %s is not understood: %s", name, strings.Join(args, " "), usage)
		}
	}
	return nil
}

// absolute resolves a path against the folder of the Caddyfile that names it, so that it means the same wherever Caddy
// is started.
func absolute(d *caddyfile.Dispenser, path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, "{") {
		return path
	}
	if abs, err := filepath.Abs(filepath.Join(filepath.Dir(d.File()), path)); err == nil {
		return abs
	}
	return path
}
