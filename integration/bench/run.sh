#!/usr/bin/env bash
# Compares the gateway and its parts with their peers: ./run.sh [html|rules|gateway]…, all three without an argument.
# Peers are installed into this folder; those that cannot be had are left out, with a line that says so.
set -euo pipefail
cd "$(dirname "$0")"
topics=("${@:-html}")
[ $# -eq 0 ] && topics=(html rules gateway)
[ -d ../../../shared/corpus ] || {
	echo "run.sh: ../shared/corpus beside the repository is needed: real pages (dev), filter lists (lists) and requests (suites/page-requests), which are not part of it" >&2
	exit 1
}
command -v go >/dev/null || { echo "run.sh: Go 1.26 or newer is needed: https://go.dev/doc/install" >&2; exit 1; }

# peers installs what package.json names, without running anybody's scripts but those of the packages named.
peers() {
	command -v npm >/dev/null || { echo "npm is not installed: the peers in JavaScript are left out" >&2; return; }
	(cd "$1" && npm ci --no-audit --no-fund --loglevel=error "${@:2}" >/dev/null) || echo "npm ci failed in $1: its peers may be left out" >&2
}

echo "$(date -u +%F), $(go version | cut -d' ' -f3,4), $(nproc) cores$(sed -n 's/^model name[^:]*:/,/p' /proc/cpuinfo 2>/dev/null | head -n 1), load $(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo unknown)"
for topic in "${topics[@]}"; do
	case "$topic" in
	html)
		peers . --ignore-scripts
		go run ./html
		;;
	rules)
		peers filterlist
		(cd filterlist && go run .)
		;;
	gateway)
		(cd ../.. && ./xcaddy.sh)
		go run ./gateway
		;;
	*) echo "run.sh: no such topic: $topic" >&2 && exit 2 ;;
	esac
done
