#!/usr/bin/env bash
# Builds, runs and tests caddy-consent.
#   ./xcaddy.sh                build ./caddy
#   ./xcaddy.sh run [ARG…]     build, then ./caddy consent proxy ARG… (without --to: the built-in demo)
#   ./xcaddy.sh test [ARG…]    install what the tests need where possible, vet, run all tests with -race
#   ./xcaddy.sh bench          the side-by-side benchmarks (integration/bench)
#   ./xcaddy.sh --xcaddy ARG…  compose with other plugins through xcaddy; ARG… goes to `xcaddy build`
set -euo pipefail
cd "$(dirname "$0")"
tags=nobadger,nomysql,nopgx # data bases of the ACME server, which nobody needs here; pgx for records stays

build() {
	command -v go >/dev/null || { echo "xcaddy.sh: Go 1.26 or newer is needed: https://go.dev/doc/install" >&2; exit 1; }
	echo "building ./caddy (the first build takes a minute or two)…" >&2
	go build -trimpath -ldflags '-s -w' -tags $tags -o ./caddy ./caddymodule/caddy
}

# install names what is missing for the tests, and installs it where this is a Debian or Ubuntu and we are root.
install() {
	local want=()
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || want+=(chromium)
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || want+=(postgresql)
	command -v "${CC:-gcc}" >/dev/null || want+=(gcc libc6-dev) # the race detector is linked by it
	[ ${#want[@]} -eq 0 ] && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "installing ${want[*]} with apt-get…" >&2
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${want[@]}" >/dev/null && return
	fi
	echo "missing for the tests: ${want[*]}. Tests that need them are skipped (with CI=true they fail)." >&2
}

# failures prints, of the log of `go test -v`, what each failed test said, and what stopped a package.
failures() {
	awk '/^(=== (RUN|PAUSE|CONT|NAME) )/ { test = $3; stopped = 0; next }
		/^(ok|FAIL)[ \t]/ { split("", said); test = ""; stopped = 0; next }
		/^ *--- FAIL/ { printf "%s\n%s", $0, said[$3]; next }
		/^ *--- / { next }
		/^(panic:|fatal error:|# )/ { stopped = 1 }
		stopped && stopped++ < 150 { print; next }
		{ said[test] = said[test] $0 "\n" }'
}

# skips prints which tests were skipped, and why.
skips() {
	awk '/^=== / { test = $3 }
		/^ +[a-z0-9_]+\.go:[0-9]+: / { sub(/^ +/, ""); why[test] = $0 }
		/^ *--- SKIP/ { print "skipped: " $3 ", " why[$3] }'
}

run_tests() {
	install
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	local status=0
	go test -race -vet=all -tags $tags -shuffle=on -timeout 14m -v "${@:-./...}" 2>&1 | tee "$log" | { grep --line-buffered -E '^(ok|FAIL)[[:space:]]|^ *--- FAIL' || true; } || status=$?
	if [ $status -ne 0 ]; then
		echo "---- what failed ----"
		failures <"$log" | tail -n 1000
		echo "----"
	fi
	skips <"$log"
	echo "$(grep -cE '^ *--- PASS' "$log") passed, $(grep -cE '^ *--- FAIL' "$log") failed, $(grep -cE '^ *--- SKIP' "$log") skipped"
	return $status
}

case "${1:-}" in
'') build ;;
run) shift && build && exec ./caddy consent proxy "$@" ;;
test) shift && run_tests "$@" ;;
bench) shift && exec integration/bench/run.sh "$@" ;;
--xcaddy)
	shift
	command -v xcaddy >/dev/null || { echo "xcaddy.sh: xcaddy is not installed: go install github.com/caddyserver/xcaddy/cmd/xcaddy@latest" >&2; exit 1; }
	exec xcaddy build v2.11.9 --output ./caddy --with github.com/caddy-consent/caddy-consent/caddymodule \
		--replace "github.com/caddy-consent/caddy-consent=$PWD" "$@"
	;;
*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
