package javascript_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/caddy-consent/caddy-consent/rules"
	"github.com/caddy-consent/caddy-consent/rules/catalogue"
	"github.com/caddy-consent/caddy-consent/rules/javascript"
)

// builtin is the Set of the whole catalogue: what is tested here is what a site has.
func builtin(t testing.TB) *rules.Set {
	t.Helper()
	c, err := catalogue.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, err := rules.New(c, nil, rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecognisesSnippets(t *testing.T) {
	s := builtin(t)
	n := 0
	for vendor, list := range javascript.Snippets {
		for _, text := range list {
			n++
			m, ok := s.Script([]byte(text), rules.Context{})
			if !ok || m.Vendor != vendor || m.Mixed {
				t.Errorf("%v, %s by %q, mixed %v; want %s:\n%s", ok, m.Vendor, m.Rule, m.Mixed, vendor, text)
			}
		}
	}
	t.Logf("%d javascript.Snippets", n)
}

func TestLeavesLookAlikes(t *testing.T) {
	s := builtin(t)
	for _, text := range javascript.LookAlikes {
		if m, ok := s.Script([]byte(text), rules.Context{}); ok {
			t.Errorf("%s by %q in:\n%s", m.Vendor, m.Rule, text)
		}
	}
}

func TestTellsMixedOnes(t *testing.T) {
	s := builtin(t)
	line := "ga('create', 'UA-1-1', 'auto');\n"
	for name, text := range map[string]string{
		"line at the end":   javascript.SiteScript + line,
		"line at the start": line + javascript.SiteScript,
		"no semicolons":     strings.ReplaceAll(javascript.SiteScript, ";\n", "\n") + line,
		"inside ready":      "jQuery(document).ready(function ($) {\n" + javascript.SiteScript + line + "});",
		"inside listener":   `document.addEventListener("DOMContentLoaded", function () {` + javascript.SiteScript + line + "});",
		"snippet appended":  javascript.SiteScript + javascript.Snippets["google-tag-manager"][0],
		"webfonts beside":   `WebFontConfig = {google: {families: ['PT+Sans']}}; (function () { var s = document.createElement("script"); s.src = "https://ajax.googleapis.com/ajax/libs/webfont/1/webfont.js"; document.head.appendChild(s); })(); sas_scriptDomain = "http://ww691.smartadserver.com/x";`,
		"one statement":     `if (document.documentElement.className.indexOf("no-js") < 0) { (function () { var s = document.createElement("script"); s.src = "//static.shop.example/js/require.js"; s.onload = function () {` + javascript.SiteScript + javascript.SiteScript + javascript.SiteScript + `if (window.iom) iom.c({st: "x"}, 2); }; document.head.appendChild(s); })(); }`,
		"helper declared":   `function handled() { return true; } window.onerror = handled; document.write('<img src="https://pixel.quantserve.com/p.gif?r=' + Math.random() + '">');`,
		"library":           `(function(){var e=function(){};e.prototype.run=function(){var s=document.createElement("script");s.src="https://api.instagram.com/v1/users";document.head.appendChild(s)};(function(r,f){typeof define=="function"&&define.amd?define([],f):typeof module=="object"&&module.exports?module.exports=f():r.Feed=f()})(this,function(){return e})}).call(this);`,
		"queue beside":      `googletag = window.googletag || {}; googletag.cmd = googletag.cmd || []; site.render = function () { return false };`,
		"list of scripts":   `(function(){function load(){var urls=["https:\/\/cdn.reviews.example\/a.js","https:\/\/static.klaviyo.com\/onsite\/js\/klaviyo.js"];for(var i=0;i<urls.length;i++){var s=document.createElement("script");s.src=urls[i];document.body.appendChild(s)}}window.addEventListener("load",load)})();`,
	} {
		if m, ok := s.Script([]byte(text), rules.Context{}); !ok || !m.Mixed {
			t.Errorf("%s: %v, mixed %v", name, ok, m.Mixed)
		}
	}
}

// TestOfAVendorIsNotMixed: a loader's own function and a vendor's configuration make no script the site's.
func TestOfAVendorIsNotMixed(t *testing.T) {
	s := builtin(t)
	for name, text := range map[string]string{
		"loader in a function": `function load() { var s = document.createElement("script"); s.src = "https://pixel.quantserve.com/q.js"; document.body.appendChild(s); } load();`,
		"page code":            `s.charSet='UTF-8';s.linkInternalFilters='javascript:';s.pageName='How to';s.server='x';s.prop1='L';s.prop2='en';s.channel='Us';s.prop22='False';s.prop25='';s.prop26='';s.prop3='Y';s.prop4='T';s.prop5='A';s.prop6='F';s.prop11='true';s.prop37='1';s.prop48='';$(document).ready(function() {s.eVar30 =  setevar30();var prop47 = "s.prop47 ='" + setprop47Var();+ "'"; var s_code=s.t();if(s_code)document.write(s_code); });`,
		"mark and helper":      `function id() { return 7; } fbq('init', id()); fbq('track', 'PageView');`,
	} {
		if m, ok := s.Script([]byte(text), rules.Context{}); !ok || m.Mixed {
			t.Errorf("%s: %v, mixed %v", name, ok, m.Mixed)
		}
	}
}

// TestThatImportsIsNeverMixed: nothing at run time can stop an import, so such a script is gated whole.
func TestThatImportsIsNeverMixed(t *testing.T) {
	s := builtin(t)
	for _, line := range []string{
		`import("https://www.google-analytics.com/analytics.js").catch(function () {});`,
		`import * as ga from "https://www.google-analytics.com/analytics.js";`, `import "https://www.google-analytics.com/analytics.js";`,
	} {
		for _, text := range []string{javascript.SiteScript + line, line + javascript.SiteScript} {
			if m, ok := s.Script([]byte(text), rules.Context{}); !ok || m.Mixed {
				t.Errorf("%s: %v, mixed %v", line, ok, m.Mixed)
			}
		}
	}
	if m, ok := s.Script([]byte(javascript.SiteScript+`import("/menu.js"); fetch("https://www.google-analytics.com/collect?v=1");`), rules.Context{}); !ok || !m.Mixed {
		t.Errorf("an import of the site's own: %v, mixed %v", ok, m.Mixed)
	}
}

// TestNamesTheMostIntrusive: a script of several vendors runs when all are permitted, so the strictest is named.
func TestNamesTheMostIntrusive(t *testing.T) {
	s := builtin(t)
	m, ok := s.Script([]byte(javascript.Snippets["google-analytics"][0]+javascript.Snippets["meta-pixel"][0]), rules.Context{})
	if !ok || m.Vendor != "meta-pixel" {
		t.Errorf("%v, %s", ok, m.Vendor)
	}
}

func TestOfAnyLength(t *testing.T) {
	s := builtin(t)
	blob := strings.Repeat("x", 3000)
	for _, text := range []string{
		`document.write("` + blob + ` <script src='https://www.google-analytics.com/ga.js'></script>");`,
		`document.write("` + strings.Repeat(`\x20`, 3000) + ` <script src='https://www.google-analytics.com/ga.js'></script>");`,
		`document.write("` + blob[:2040] + `" + "<img src='https://www.google-analytics.com/collect'>");`,
		strings.Repeat("(", 5000) + `document.write("<script src='https://www.google-analytics.com/ga.js'></script>")`,
		"`" + strings.Repeat("${`", 2000) + strings.Repeat("`}", 2000) + "`;document.write('<img src=//www.google-analytics.com/collect>')",
	} {
		if _, ok := s.Script([]byte(text), rules.Context{}); !ok {
			t.Errorf("not recognised: %.40s… (%d bytes)", text, len(text))
		}
	}
}

func FuzzSet(f *testing.F) {
	s := builtin(f)
	for _, list := range javascript.Snippets {
		for _, text := range list {
			f.Add([]byte(text))
		}
	}
	for _, text := range javascript.LookAlikes {
		f.Add([]byte(text))
	}
	f.Add([]byte("`${`${/[/]/}`}`"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		m, ok := s.Script(text, rules.Context{})
		if !bytes.Equal(before, text) {
			t.Error("the text was changed")
		}
		if ok != (m.Vendor != "") {
			t.Errorf("%v, %q", ok, m.Vendor)
		}
	})
}
