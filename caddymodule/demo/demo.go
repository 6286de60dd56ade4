// Package demo serves a believable legacy shop with the trackers, embeds and cookies that such sites collect over the
// years, and not one line that asks for consent. It is what `caddy consent proxy` puts the gateway in front of when no
// site is named, and what the integration tests visit.
package demo

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed site
var files embed.FS

// The cookies that the shop's server sets on each page: one that it needs and those of server-side tracking.
var cookies = []string{
	"PHPSESSID=6f1c2b7a9d; Path=/; HttpOnly; SameSite=Lax",
	"_ga=GA1.1.1784092345.1731900000; Path=/; Max-Age=63072000",
	"FPID=FPID2.1.0ab3%2Fserver.1731900000; Path=/; Max-Age=63072000; HttpOnly",
	"_fbp=fb.0.1731900000000.482910374; Path=/; Max-Age=7776000",
}

// Handler returns the shop. It is safe for concurrent use.
func Handler() http.Handler {
	site, err := fs.Sub(files, "site")
	if err != nil {
		panic(err) // the folder is embedded: it cannot be missing
	}
	static := http.FileServerFS(site)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/account/session":
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"cookies": r.Header.Get("Cookie")})
			return
		case path.Ext(r.URL.Path) == "" || strings.HasSuffix(r.URL.Path, ".html"):
			w.Header().Set("Link", "<https://www.googletagmanager.com>; rel=preconnect, </style.css>; rel=preload; as=style")
			for _, c := range cookies {
				w.Header().Add("Set-Cookie", c)
			}
		}
		if r.URL.Path != "/" && path.Ext(r.URL.Path) == "" {
			r.URL.Path += ".html"
		}
		static.ServeHTTP(w, r)
	})
}
