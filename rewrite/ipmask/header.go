package ipmask

import (
	"net/http"
	"slices"
)

// forwarding are the request fields in which proxies and content delivery networks pass a client's address on.
var forwarding = [...]string{
	"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Cf-Pseudo-Ipv4", "True-Client-Ip",
	"Fastly-Client-Ip", "Fly-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Forwarded",
	"Forwarded-For", "X-Forwarded-Client-Ip", "X-Originating-Ip", "X-Remote-Ip", "X-Remote-Addr", "X-Envoy-External-Address",
	"X-Appengine-User-Ip", "X-Azure-Clientip", "X-Azure-Socketip", "X-Nf-Client-Connection-Ip", "Do-Connecting-Ip",
	"Cloudfront-Viewer-Address", "Ali-Cdn-Real-Ip", "Cdn-Src-Ip", "Wl-Proxy-Client-Ip", "Proxy-Client-Ip", "X-Proxyuser-Ip", "Client-Ip",
	"Remote-Addr", "X-Forwarded-Host-Ip", "Via",
}

// Headers masks the addresses in the forwarding fields of a request in place, RFC 7239's Forwarded among them. The slices
// of values are replaced, not written to. Other fields, and the port fields beside them, stay as they are.
func Headers(h http.Header, m Masker) {
	for _, field := range forwarding {
		values, copied := h[field], false
		for i, v := range values {
			masked := m.Append(nil, []byte(v))
			if string(masked) == v {
				continue
			}
			if !copied {
				values, copied = slices.Clone(values), true
				h[field] = values
			}
			values[i] = string(masked)
		}
	}
}
