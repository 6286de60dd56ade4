package caddymodule

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

type tkind uint8

const (
	tkUnknown tkind = iota
	tkOther
	tkHTML
	tkXML
	tkCSS
	tkJSON
)

func kindOf(ct string, prefix []byte, end bool) tkind {
	if ct == "" {
		if len(prefix) == 0 && !end {
			return tkUnknown
		}
		ct = http.DetectContentType(prefix)
	}
	ct = strings.ToLower(ct)
	switch {
	case strings.Contains(ct, "text/html"):
		return tkHTML
	case strings.Contains(ct, "xml"):
		return tkXML
	case strings.Contains(ct, "text/css"):
		return tkCSS
	}
	return tkOther
}

var _ = bytes.Contains
var _ io.Writer
