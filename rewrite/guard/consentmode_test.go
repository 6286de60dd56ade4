package guard

import "testing"

// TestLayerOnlyDeclared: Consent Mode's state goes into a layer as soon as there is one. A page that has only declared it,
// as one whose script died before it set it, keeps its variable, and what was parked is revived.
func TestLayerOnlyDeclared(t *testing.T) {
	t.Parallel()
	newScenarioBench(t).run(t, &scenario{
		name: "only declared",
		body: `<script>var dataLayer</script><script type="text/plain" ` + parkedAs + `>self.ran = 'ran'</script>`,
		do:   `await click('accept'); await soon(() => self.ran); return self.ran + ' ' + self.dataLayer`,
		want: "ran undefined",
	})
}
