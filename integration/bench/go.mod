module github.com/caddy-consent/caddy-consent/integration/bench

go 1.26.0

require (
	github.com/caddy-consent/caddy-consent v0.0.0
	github.com/tdewolff/parse/v2 v2.8.20
)

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
)

require (
	github.com/oschwald/maxminddb-golang/v2 v2.9.0 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/caddy-consent/caddy-consent => ../..
