module github.com/caddy-consent/caddy-consent/integration/bench/filterlist

go 1.26.0

require (
	github.com/AdguardTeam/urlfilter v0.5.0
	github.com/caddy-consent/caddy-consent v0.0.0
)

require (
	github.com/AdguardTeam/golibs v0.1.3 // indirect
	github.com/asaskevich/govalidator v0.0.0-20180720115003-f9ffefc3facf // indirect
	github.com/joomcode/errorx v0.8.0 // indirect
	github.com/oschwald/maxminddb-golang/v2 v2.9.0 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/caddy-consent/caddy-consent => ../../..
