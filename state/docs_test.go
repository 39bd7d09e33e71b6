package state_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/state"
)

// documented returns the paths in the tree of buckets that
// docs/state-format.md draws, with <…> where any name may stand.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/state-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tree, _ := strings.Cut(string(text), "## Buckets\n\n```\n")
	tree, _, ok := strings.Cut(tree, "```")
	if !ok {
		t.Fatal("no tree of buckets in docs/state-format.md")
	}
	line := regexp.MustCompile(`^( *)((?:<[^>]*>|(?:source/<[^>]*>/)?app/<[^>]*>|[^\s<]+)/?)`)
	var paths, above []string
	for l := range strings.Lines(tree) {
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("cannot read the line %q", l)
		}
		above = append(above[:len(m[1])/2], strings.TrimSuffix(m[2], "/"))
		paths = append(paths, strings.Join(above, " "))
	}
	return paths
}

// fits reports whether a path of a file is the documented one.
func fits(path []string, doc string) bool {
	names := strings.Split(strings.NewReplacer("<u64 ", "<u64_", "<app key>", "<app_key>").Replace(doc), " ")
	return slices.EqualFunc(path, names, func(got, want string) bool {
		before, _, variable := strings.Cut(want, "<")
		return got == want || variable && strings.HasPrefix(got, before)
	})
}

// The tree of buckets and keys in the specification is that of a file with
// something of everything: neither has what the other lacks.
func TestDocs_Buckets(t *testing.T) {
	w := varied(t, true)
	if err := state.Trim(w.path, start, 0, 3); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	docs, met := documented(t), map[string]bool{}
	for _, s := range everything(t, db) {
		var path []string
		for _, p := range append(slices.Clone(s.path), s.key) {
			path = append(path, string(p))
			i := slices.IndexFunc(docs, func(doc string) bool { return fits(path, doc) })
			if i < 0 {
				t.Errorf("%v is not documented", s)
				break
			}
			met[docs[i]] = true
		}
	}
	for _, doc := range docs {
		if !met[doc] {
			t.Errorf("%q is documented and in no file", doc)
		}
	}
}
