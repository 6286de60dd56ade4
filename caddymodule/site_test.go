package caddymodule

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestPurposeTextInEveryLanguage: what the operator writes about a purpose stands in every language, also beside one that the
// operator added.
func TestPurposeTextInEveryLanguage(t *testing.T) {
	data, err := os.ReadFile("../consent/ui/lang/da.json")
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]string{}
	if err := json.Unmarshal(data, &own); err != nil {
		t.Fatal(err)
	}
	const text = "We count what you read."
	s, err := newSite(newServed(t, false).handler.app, Options{
		Languages: []string{"no", "de"}, Texts: map[string]map[string]string{"no": own}, Purposes: map[string]string{"analytics": text},
	}, modeEnforce)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"no", "de"} {
		if notice := string(s.ui.NoticeText(lang)); !strings.Contains(notice, text) {
			t.Errorf("not in %s:\n%s", lang, notice)
		}
	}
}
